import { plainOptions, refuseOthers, wrongNumber } from '../checks/index.ts'
import { isKmsError, type KmsError } from '../errors.ts'
import type { KekVersion } from '../kms/index.ts'
import { failuresOf, sumCounts, zeroCounts } from './counts.ts'
import { classOfError } from './error-class.ts'
import { PageRun } from './page-run.ts'
import type { RotationOutage } from './page-tally.ts'
import type {
  RotationCounts,
  RotationFailure,
  RotationState,
  SourceState,
} from './rotation-state.ts'
import { areSameVersions } from './staleness.ts'
import { addSamples, checkState, fitState } from './state.ts'
import { type RotationStepOptions, stepSettings } from './step-options.ts'
import { isOverThreshold } from './threshold.ts'
import { StepTools } from './step-tools.ts'

/** How much one step may do. It ends at the first of these; at least one page is tried. */
export interface StepBudget {
  /** Records that are read, 1 to 1,000,000; one page by default. */
  readonly records?: number
  /** Milliseconds after which no further page is begun; no limit by default. */
  readonly ms?: number
  /** Ends the step at once; it rejects with the signal's reason, and the old state stays good. */
  readonly signal?: AbortSignal | undefined
}

/** Result of a step. */
export interface StepResult {
  /** Keep it, and give it to the next step. */
  readonly state: RotationState
  /** What this step added to the counts of the job. */
  readonly counts: RotationCounts
  /** The failures of this step; all of them went to the failure sink. */
  readonly failures: readonly RotationFailure[]
  /** Wait so long before the next step: after an outage, and before a further sweep. */
  readonly waitMs: number
  /** Records that were read, in whatever sweep. */
  readonly read: number
  /** What ended the step early. */
  readonly outage?: RotationOutage
}

/** Makes one step of a rotation. It may be called with the same state twice, or with an old one. */
export type RotationStep = (state: RotationState, budget?: StepBudget) => Promise<StepResult>

/**
 * Returns the step of a rotation: a function from state and budget to the next state. Keep the state in any engine
 * that repeats work, and call the step until the phase of the state is not `running`.
 *
 * @throws KmsError `ERR_KMS_CONFIG`; the step throws it too, and what `contextOf` throws
 *
 * @example
 * ```ts
 * import type { KeyManagementService } from 'edge-kms'
 * import { createRotationStep, newRotationState, type RecordSource } from 'edge-kms/rotation'
 *
 * export async function rotateAll(kms: KeyManagementService, users: RecordSource) {
 *   const step = createRotationStep({ kms, sources: [users] })
 *   let state = newRotationState({ job: 'users', sources: [users.name], atMs: Date.now() })
 *   while (state.phase === 'running') state = (await step(state)).state
 *   return state.counts
 * }
 * ```
 */
export function createRotationStep(options: RotationStepOptions): RotationStep {
  const settings = stepSettings(options)
  return stepOver(new StepTools(settings))
}

/** Returns the step over tools that a runner may look into. */
export function stepOver(tools: StepTools): RotationStep {
  return (state, budget = {}) => makeStep(tools, state, budget)
}

async function makeStep(
  tools: StepTools,
  given: RotationState,
  budget: StepBudget,
): Promise<StepResult> {
  const { settings, names } = tools
  const { records = settings.pageSize, ms = Infinity, signal, ...others } = plainOptions(budget)
  refuseOthers(others)
  if (!Number.isSafeInteger(records) || records < 1 || records > 1_000_000)
    throw wrongNumber('records', 'an integer from 1 to 1000000', records)
  signal?.throwIfAborted()
  const state = checkState(given, names)
  if (state.phase !== 'running') return unchanged(state)
  const run = new StepRun(tools, state, signal)
  if (await run.aim()) {
    const untilMs = settings.runtime.now() + ms
    while (run.isOpen && run.read < records && settings.runtime.now() < untilMs)
      await run.page(records - run.read)
  }
  return run.result()
}

function unchanged(state: RotationState): StepResult {
  return { state, counts: zeroCounts(), failures: [], waitMs: 0, read: 0 }
}

/** One step on its way. */
class StepRun {
  read = 0
  readonly #tools: StepTools
  readonly #before: RotationState
  readonly #signal: AbortSignal | undefined
  readonly #failures: RotationFailure[] = []
  #state: RotationState
  #waitMs = 0
  #outage: RotationOutage | undefined

  constructor(tools: StepTools, state: RotationState, signal: AbortSignal | undefined) {
    this.#tools = tools
    this.#before = state
    this.#state = state
    this.#signal = signal
  }

  /** Whether there is more to do now. */
  get isOpen(): boolean {
    return this.#state.phase === 'running' && this.#waitMs === 0 && this.#outage === undefined
  }

  /** Learns the current KEK versions. Returns `false` if the KMS did not answer. */
  async aim(): Promise<boolean> {
    const { keks } = this.#tools
    if (keks.byContext) return true
    try {
      this.#retarget(await keks.of(undefined, this.#signal))
      return true
    } catch (error) {
      this.#signal?.throwIfAborted()
      if (!isKmsError(error) || classOfError(error) !== 'outage') throw error
      this.#stall({ source: '', from: 'kms', error })
      return false
    }
  }

  /** Works on the next page of the first source that is not done. */
  async page(most: number): Promise<void> {
    const at = this.#state.sources.findIndex(({ done }) => !done)
    const from = this.#state.sources[at]
    if (from === undefined) {
      this.#state = { ...this.#state, phase: 'finished' }
      return
    }
    const done = await new PageRun(this.#tools, this.#state, at, this.#signal).run(most)
    this.read += done.read
    this.#failures.push(...done.failures)
    const { quarantine, source, outage } = done
    const sources = this.#state.sources.with(at, source)
    const samples = addSamples(this.#state.samples, done.failures)
    const counts = sumCounts(...sources.map((one) => one.counts))
    this.#state = { ...this.#state, sources, samples, quarantine, counts }
    this.#outage = outage
    this.#waitMs = done.waitMs
    if (isOverThreshold(this.#state, this.#tools.settings.threshold))
      this.#state = { ...this.#state, phase: 'stopped' }
    else if (sources.every((one) => one.done)) this.#state = { ...this.#state, phase: 'finished' }
  }

  result(): StepResult {
    const updatedAtMs = this.#tools.settings.runtime.now()
    const state = fitState({ ...this.#state, updatedAtMs })
    const counts = differenceOf(state.counts, this.#before.counts)
    const base = { state, counts, failures: this.#failures, waitMs: this.#waitMs, read: this.read }
    return { ...base, ...(this.#outage && { outage: this.#outage }) }
  }

  /** Another version became current while the job ran: what was swept so far may be stale again. */
  #retarget(current: readonly KekVersion[]): void {
    const { target, sources } = this.#state
    if (areSameVersions(target, current)) return
    this.#tools.rewraps.clear()
    const isFirst = target.length === 0
    const again = sources.map((source) => (isFirst ? source : sweptAgain(source)))
    const versions = current.map(({ provider, kekId, kekVersion }) => ({
      provider,
      kekId,
      kekVersion,
    }))
    this.#state = { ...this.#state, target: versions, sources: again }
  }

  #stall(outage: RotationOutage & { readonly error: KmsError }): void {
    const at = this.#state.sources.findIndex(({ done }) => !done)
    const source = this.#state.sources[at]
    this.#outage = outage
    if (source === undefined) return
    const stalls = source.stalls + 1
    this.#waitMs = this.#tools.waitMs(stalls, outage.error)
    const sources = this.#state.sources.with(at, { ...source, stalls })
    this.#state = { ...this.#state, sources }
  }
}

function sweptAgain(source: SourceState): SourceState {
  if (!source.done) return { ...source, changed: true }
  const { cursor: _cursor, fingerprint: _fingerprint, ...kept } = source
  return { ...kept, sweep: source.sweep + 1, done: false, changed: false }
}

function differenceOf(after: RotationCounts, before: RotationCounts): RotationCounts {
  const names = Object.keys(after) as (keyof RotationCounts)[]
  return Object.fromEntries(
    names.map((name) => [name, after[name] - before[name]]),
  ) as unknown as RotationCounts
}

/** Returns how many values failed and were not accepted. */
export function openFailures({ counts, forgiven }: RotationState): number {
  return Math.max(0, failuresOf(counts) - forgiven)
}
