import { utf8Length } from '../bytes/index.ts'
import {
  configError,
  integer,
  isTexts,
  plainOptions,
  refuseOthers,
  wrongOption,
} from '../checks/index.ts'
import { zeroCounts } from './counts.ts'
import type { RotationFailure, RotationState, SourceState } from './rotation-state.ts'

/** The longest state, bytes of JSON: less than 64 KiB, of which stores and engines take some for themselves. */
export const MAX_STATE_BYTES = 64_000
/** Failures that a state holds. */
export const MAX_SAMPLES = 20
/** An id in a sample is cut there: all of it went to the failure sink. */
const SAMPLE_ID = 200

const JOB = /^[\w.-]{1,64}$/

/** Options of {@link newRotationState}. */
export interface NewRotation {
  /** Names the job; 1 to 64 letters, digits, `.`, `_` and `-`. */
  readonly job: string
  /** Names of the sources, in the order in which they are walked. */
  readonly sources: readonly string[]
  /** Now, milliseconds since the epoch. */
  readonly atMs: number
}

/**
 * Returns the state of a job that has not done anything yet.
 *
 * @throws KmsError `ERR_KMS_CONFIG` for a name that it cannot have, or a wrong option
 */
export function newRotationState(options: NewRotation): RotationState {
  const { job, sources, atMs, ...others } = plainOptions(options)
  refuseOthers(others)
  integer('atMs', atMs, 0, Number.MAX_SAFE_INTEGER)
  if (!isTexts(sources) || new Set(sources).size < sources.length)
    throw wrongOption('sources', 'a list of different names', sources)
  return {
    version: 1,
    job: checkJob(job),
    phase: 'running',
    target: [],
    startedAtMs: atMs,
    updatedAtMs: atMs,
    sources: sources.map(newSourceState),
    counts: zeroCounts(),
    samples: [],
    quarantine: [],
    forgiven: 0,
  }
}

/** @throws KmsError `ERR_KMS_CONFIG` */
export function checkJob(job: string): string {
  if (typeof job === 'string' && JOB.test(job)) return job
  throw wrongOption('job', '1 to 64 letters, digits, `.`, `_` and `-`', job)
}

function newSourceState(name: string): SourceState {
  const start = { sweep: 1, done: false, changed: false, stalls: 0, doneHere: 0 }
  return { name, ...start, counts: zeroCounts() }
}

/** Returns the samples with more failures, as far as there is room. */
export function addSamples(
  samples: readonly RotationFailure[],
  failures: readonly RotationFailure[],
): readonly RotationFailure[] {
  const cut = ({ id, ...others }: RotationFailure): RotationFailure => ({
    ...others,
    id: id.length > SAMPLE_ID ? `${id.slice(0, SAMPLE_ID).toWellFormed()}…` : id,
  })
  return [...samples, ...failures.slice(0, MAX_SAMPLES - samples.length).map(cut)]
}

/**
 * Returns the state at 64 KiB at most: it shortens the quarantine first, then the samples.
 *
 * @throws KmsError `ERR_KMS_CONFIG` if cursors and names alone are longer
 */
export function fitState(state: RotationState): RotationState {
  let fitting = state
  while (utf8Length(JSON.stringify(fitting)) > MAX_STATE_BYTES) {
    const { quarantine, samples } = fitting
    if (quarantine.length > 0)
      fitting = { ...fitting, quarantine: quarantine.slice(0, quarantine.length >> 1) }
    else if (samples.length > 0)
      fitting = { ...fitting, samples: samples.slice(0, samples.length - 1) }
    else throw configError('the state is over 64 KiB: use fewer sources, or shorter cursors')
  }
  return fitting
}
