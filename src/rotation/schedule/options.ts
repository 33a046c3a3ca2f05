import {
  type Bounds,
  checkNumbers,
  plainOptions,
  refuseOthers,
  wrongOption,
} from '../../checks/index.ts'
import type { KeyValueStore } from '../../ports/index.ts'
import type { KeyRotationManagerOptions } from '../manager-options.ts'
import type { JobRotationResult } from '../result.ts'
import { maxAgeOf, type RotationPolicy } from './policy.ts'

/** A value, or a function that returns it from the bindings of a Worker. */
type FromEnv<T, Env> = T | ((env: Env) => T | Promise<T>)

/** Options of `scheduledRotation`. */
export interface ScheduledRotationOptions<Env = unknown> {
  /**
   * Options of the manager. Its `states` are kept in the store of the lease by default. A function is called at each
   * run.
   */
  readonly rotation: FromEnv<KeyRotationManagerOptions, Env>
  readonly policy: RotationPolicy
  /** The store of the lease: strong, with an atomic compare-and-swap. */
  readonly lease: FromEnv<KeyValueStore, Env>
  /** How long a lease lasts without being renewed, milliseconds, 3,000 to 900,000; 60,000 by default. */
  readonly leaseMs?: number
  /** How long one run works before it leaves the rest to the next run, in milliseconds; 600,000 by default. */
  readonly runMs?: number
  /**
   * Called with the error of a failed run, e.g. to page an engineer. The run waits for it, at most `onFailureMs`. Its
   * own errors are dropped, and the run throws the original error.
   */
  readonly onFailure?: (
    failure: ScheduledFailure,
    options: { readonly signal: AbortSignal },
  ) => void | Promise<void>
  /** How long a run waits for `onFailure`, milliseconds, 100 to 60,000; 10,000 by default. */
  readonly onFailureMs?: number
}

/** The reason why a run failed. It holds names, codes and numbers, never a secret. */
export interface ScheduledFailure {
  readonly job: string
  /** The error that the run throws. Absent: too many values failed, and the job has stopped. */
  readonly error?: Error
  /** Result of a job that has stopped. */
  readonly result?: JobRotationResult
}

/** Names of the integer options. */
type ScheduleNumber = 'leaseMs' | 'runMs' | 'onFailureMs'

/** Every default and range of a schedule, once. */
const NUMBERS: Bounds<ScheduleNumber> = {
  leaseMs: { standard: 60_000, least: 3_000, most: 900_000 },
  runMs: { standard: 600_000, least: 1_000, most: 86_400_000 },
  onFailureMs: { standard: 10_000, least: 100, most: 60_000 },
}

/** The options, checked and complete. */
export interface ScheduleSettings<Env> extends Readonly<Record<ScheduleNumber, number>> {
  readonly rotationOf: (env: Env) => Promise<KeyRotationManagerOptions>
  readonly leaseOf: (env: Env) => Promise<KeyValueStore>
  readonly maxAgeMs: number
  readonly onFailure: ScheduledRotationOptions['onFailure']
}

/** @throws KmsError `ERR_KMS_CONFIG` */
export function scheduleSettings<Env>(
  options: ScheduledRotationOptions<Env>,
): ScheduleSettings<Env> {
  if (Object(options) !== options) throw wrongOption('options', 'an object', options)
  const { rotation, policy, lease, onFailure, ...rest } = plainOptions(options)
  refuseOthers(rest, new Set(Object.keys(NUMBERS)))
  if (Object(rotation) !== rotation)
    throw wrongOption('rotation', 'options of a KeyRotationManager, or a function', rotation)
  if (Object(lease) !== lease) throw wrongOption('lease', 'a KeyValueStore, or a function', lease)
  if (onFailure !== undefined && typeof onFailure !== 'function')
    throw wrongOption('onFailure', 'a function', onFailure)
  return {
    rotationOf: fromEnv(rotation),
    leaseOf: fromEnv(lease),
    maxAgeMs: maxAgeOf(policy),
    onFailure,
    ...checkNumbers(NUMBERS, rest),
  }
}

function fromEnv<T, Env>(given: FromEnv<T, Env>): (env: Env) => Promise<T> {
  return async (env) =>
    typeof given === 'function' ? (given as (env: Env) => T | Promise<T>)(env) : given
}
