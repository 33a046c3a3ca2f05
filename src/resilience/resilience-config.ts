import {
  checkNumber,
  configError,
  integer,
  oneOf,
  plainOptions,
  refuseOthers,
  wrongOption,
} from '../checks/index.ts'
import type { BulkheadConfig } from './bulkhead.ts'
import type { CircuitBreakerConfig } from './circuit-config.ts'
import { QUORUM, TIMEOUTS } from './defaults.ts'
import type { HedgeConfig, WritePolicy } from './multi-options.ts'
import { type PresetName, PRESETS, type ResiliencePreset } from './presets.ts'
import type { RetryConfig } from './retry-policy.ts'

/** The options that are plain data, fit for JSON. Absent options come from the preset. */
export interface ResilienceConfig {
  /** `production` by default. */
  readonly preset?: PresetName | undefined
  /** The total deadline of a call to the stack, in milliseconds: 5,000 by default, 1 to 900,000. */
  readonly deadlineMs?: number | undefined
  /** Timeout of one attempt at one KMS, in milliseconds: 2,000 by default, 1 to 900,000, at most the deadline. */
  readonly attemptTimeoutMs?: number | undefined
  /** Overrides values of the preset; `false`: no retries. */
  readonly retry?: RetryConfig | false | undefined
  /** Overrides values of the preset; `false`: no breaker. */
  readonly circuitBreaker?: CircuitBreakerConfig | false | undefined
  readonly bulkhead?: Omit<BulkheadConfig, 'maxHoldMs'> | undefined
  /** Several KEKs: `all` by default. */
  readonly writePolicy?: WritePolicy | undefined
  /** Several KEKs: the order of reading. */
  readonly order?: 'configured' | 'fastest' | undefined
  /** Several KEKs; `false`: none. */
  readonly hedge?: HedgeConfig | false | undefined
  /** One name for each KMS, under which its circuit is shared: provider and region or vault. */
  readonly scopes?: readonly string[] | undefined
}

/** Returns the values of a configuration: those of the preset, overridden by the caller's. */
export type ResilienceValues = Omit<
  ResiliencePreset,
  'retry' | 'circuitBreaker' | 'bulkhead' | 'hedge'
> & {
  readonly retry: RetryConfig | false
  readonly circuitBreaker: CircuitBreakerConfig | false
  readonly bulkhead: Omit<BulkheadConfig, 'maxHoldMs'>
  readonly hedge: HedgeConfig | false
  readonly writePolicy: WritePolicy
  readonly scopes: readonly string[] | undefined
}

/**
 * Returns the values of a configuration, those of its preset included.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function resilienceValues(config: ResilienceConfig): ResilienceValues {
  const { preset = 'production', retry, circuitBreaker, hedge, ...given } = plainOptions(config)
  const base = PRESETS[oneOf('preset', preset, Object.keys(PRESETS) as PresetName[])]
  const { deadlineMs, attemptTimeoutMs, bulkhead, scopes, writePolicy, order, ...others } = given
  refuseOthers(others)
  const deadline = checkNumber('deadlineMs', deadlineMs ?? base.deadlineMs, TIMEOUTS.deadlineMs)
  const attempt = attemptTimeoutMs ?? Math.min(base.attemptTimeoutMs, deadline)
  // A wait that the deadline would always cut can never succeed.
  demandBelow('bulkhead.maxWaitMs', bulkhead?.maxWaitMs, deadline)
  demandBelow('hedge.afterMs', hedge === false ? undefined : hedge?.afterMs, deadline)
  return {
    ...base,
    deadlineMs: deadline,
    attemptTimeoutMs: integer('attemptTimeoutMs', attempt, 1, deadline),
    retry: over('retry', upTo(retry === false ? undefined : retry?.maxDelayMs, base.retry), retry),
    circuitBreaker: over('circuitBreaker', base.circuitBreaker, circuitBreaker),
    bulkhead: { ...base.bulkhead, ...part('bulkhead', bulkhead) },
    order: oneOf('order', order ?? base.order, ['configured', 'fastest']),
    hedge: over('hedge', base.hedge, hedge),
    writePolicy: policyWithin(deadline, writePolicy ?? 'all'),
    scopes: scopes === undefined ? undefined : scopesOf(scopes),
  }
}

function demandBelow(name: string, valueMs: number | undefined, deadlineMs: number): void {
  if (valueMs !== undefined && valueMs >= deadlineMs)
    throw configError(
      `${name} must be below deadlineMs, got ${String(valueMs)} and ${String(deadlineMs)}`,
    )
}

/** Returns a preset's delays, cut to a longest one that was given. */
function upTo(maxDelayMs: number | undefined, retry: ResiliencePreset['retry']): typeof retry {
  if (maxDelayMs === undefined || retry === false) return retry
  const { baseDelayMs, throttleDelayMs } = retry
  return {
    ...retry,
    baseDelayMs: Math.min(baseDelayMs, maxDelayMs),
    throttleDelayMs: Math.min(throttleDelayMs, maxDelayMs),
  }
}

/** A time of grace as long as the deadline would fail every write that has its quorum. */
function policyWithin(deadlineMs: number, policy: WritePolicy): WritePolicy {
  if (typeof policy === 'string') return policy
  demandBelow('writePolicy.graceMs', plainOptions(policy, 'writePolicy').graceMs, deadlineMs)
  const graceMs = Math.min(QUORUM.graceMs.standard, Math.floor(deadlineMs / 2))
  return { graceMs, ...policy }
}

/** `false` switches a part off, an object sets what it names. */
function over<T extends object>(
  name: string,
  base: T | false,
  given: Partial<T> | false | undefined,
): T | false {
  if (given === undefined) return base
  if (given === false) return false
  return { ...(base === false ? undefined : base), ...part(name, given) } as T
}

/** @throws KmsError `ERR_KMS_CONFIG` for anything but an object, such as `true`: it would change nothing */
function part<T extends object>(name: string, given: T | undefined): T | undefined {
  return given === undefined ? undefined : plainOptions(given, name)
}

function scopesOf(scopes: readonly string[]): readonly string[] {
  const isScope = (scope: unknown): boolean =>
    typeof scope === 'string' && /^[\w./:@-]{1,128}$/.test(scope)
  if (Array.isArray(scopes) && scopes.every(isScope)) return [...(scopes as readonly string[])]
  throw wrongOption(
    'scopes',
    'a list of names of 1 to 128 characters: A-Z a-z 0-9 _ . / : @ -',
    scopes,
  )
}
