import {
  type Bounds,
  checkNumbers,
  demandMethods,
  oneOf,
  optionError,
  plainOptions,
  refuseOthers,
  wrongNumber,
  wrongOption,
} from '../checks/index.ts'
import { type ContextInput, type KeyManagementService, serviceOf } from '../kms/index.ts'
import type { Network, Runtime } from '../ports/index.ts'
import { webNetwork, webRuntime } from '../runtime/index.ts'
import { Fingerprints } from './fingerprint.ts'
import type { RecordSource, RotationRecord } from './record-source.ts'
import type { RotationFailure } from './rotation-state.ts'

/**
 * Takes failures before the state advances; the step waits for it. If it rejects, the step ends as at an outage and
 * the page is repeated, so it may receive a failure twice.
 */
export type FailureSink = (
  failures: readonly RotationFailure[],
  options: { readonly signal: AbortSignal },
) => void | Promise<void>

/** Options of a rotation step: what to rewrap, under which KMS, and how carefully. */
export interface RotationStepOptions {
  /** The KMS whose current KEKs every value must be under. It must also open the old wraps. */
  readonly kms: KeyManagementService
  /** The places with encrypted values, 1 to 16. Include the data-key store if there are messages by reference. */
  readonly sources: readonly RecordSource[]
  /**
   * Returns the context of a value; by default the one that its envelope carries. Required if the cipher has
   * `requiredContextKeys`: envelopes do not carry those.
   */
  readonly contextOf?: (record: RotationRecord, field: string, source: string) => ContextInput
  /**
   * `open` (default): each new wrap is proven to open the same data key before anything is replaced. `kms`: nothing
   * is proven, for workers that may only rewrap.
   */
  readonly verify?: 'open' | 'kms'
  readonly rate?: RotationRate
  /** Takes all failures; without it only the first 20 are kept, in the state. */
  readonly failures?: FailureSink
  readonly threshold?: FailureThreshold
  /** At least 32 random bytes, or their base64: makes fingerprints of what a rotation must not change. */
  readonly fingerprintKey?: Uint8Array | string
  /** Records of one page, 1 to 1,000, the most that a source must give; 500 by default. */
  readonly pageSize?: number
  /** Rewraps in flight at once, 1 to 256; 6 by default, which Workers allow. */
  readonly concurrency?: number
  /** The longest call of the KMS, milliseconds; 15,000 by default. */
  readonly callTimeoutMs?: number
  /** The longest call of a source, of the failure sink or of a state store, milliseconds; 30,000 by default. */
  readonly sourceTimeoutMs?: number
  /** The longest rewrap of one object, milliseconds; 900,000 by default. */
  readonly objectTimeoutMs?: number
  readonly runtime?: Runtime
  /** Timers and jitter; the platform's own by default. */
  readonly network?: Network
}

/** Limits the speed of a rotation. */
export interface RotationRate {
  /** Part of the vendor's quota (`VENDOR_TERMS`), above 0 and at most 1; 0.5 by default. */
  readonly share?: number
  /** Requests to the KMS each second, instead of a part of the quota. */
  readonly requestsPerSecond?: number
}

/** Stops a job if too many values fail. */
export interface FailureThreshold {
  /** Part of the judged values, above 0 and at most 1; 0.01 by default. */
  readonly share?: number
  /** Fewest judged values for the share to count; 100 by default. */
  readonly least?: number
}

/** The options, checked and complete. */
export interface StepSettings {
  readonly kms: KeyManagementService
  readonly sources: readonly RecordSource[]
  readonly contextOf: RotationStepOptions['contextOf']
  readonly verify: 'open' | 'kms'
  readonly rateShare: number
  readonly requestsPerSecond: number | undefined
  readonly failures: FailureSink | undefined
  readonly threshold: { readonly share: number; readonly least: number }
  readonly fingerprints: Fingerprints | undefined
  readonly pageSize: number
  readonly concurrency: number
  readonly callTimeoutMs: number
  readonly sourceTimeoutMs: number
  readonly objectTimeoutMs: number
  readonly runtime: Runtime
  readonly network: Network
}

/** Names of the integer options of a step. */
type StepNumber =
  'pageSize' | 'concurrency' | 'callTimeoutMs' | 'sourceTimeoutMs' | 'objectTimeoutMs'

/** Every default and range of a step, once. */
const STEP_NUMBERS: Bounds<StepNumber> = {
  pageSize: { standard: 500, least: 1, most: 1_000 },
  concurrency: { standard: 6, least: 1, most: 256 },
  callTimeoutMs: { standard: 15_000, least: 1, most: 900_000 },
  sourceTimeoutMs: { standard: 30_000, least: 1, most: 900_000 },
  objectTimeoutMs: { standard: 900_000, least: 1, most: 86_400_000 },
}
const RATE: Bounds<'share'> = { share: { standard: 0.5, least: 0, most: 1, isShare: true } }
const THRESHOLD: Bounds<'share' | 'least'> = {
  share: { standard: 0.01, least: 0, most: 1, isShare: true },
  least: { standard: 100, least: 1, most: 1_000_000_000 },
}

const MAX_SOURCES = 16
const NAME = /^[\w.-]{1,64}$/

/** @throws KmsError `ERR_KMS_CONFIG` */
export function stepSettings(options: RotationStepOptions): StepSettings {
  if (Object(options) !== options) throw wrongOption('options', 'an object', options)
  const { kms, sources, contextOf, verify = 'open', rate = {}, ...rest } = plainOptions(options)
  const { failures, threshold = {}, fingerprintKey, ...others } = rest
  const { runtime = webRuntime, network = webNetwork, ...given } = others
  refuseOthers(given, new Set(Object.keys(STEP_NUMBERS)))
  demandMethods('runtime', runtime, ['now', 'randomFill'])
  demandMethods('network', network, ['after', 'jitter'])
  for (const [name, value] of Object.entries({ contextOf, failures }))
    if (value !== undefined && typeof value !== 'function')
      throw wrongOption(name, 'a function', value)
  const { requestsPerSecond, ...share } = plainOptions(rate, 'rate')
  return {
    kms: serviceOf('kms', kms),
    sources: checkSources(sources),
    contextOf,
    verify: oneOf('verify', verify, ['open', 'kms']),
    rateShare: checkNumbers(RATE, share, 'rate.').share,
    requestsPerSecond: perSecondOf(requestsPerSecond),
    failures,
    threshold: checkNumbers(THRESHOLD, threshold, 'threshold.'),
    fingerprints: fingerprintKey === undefined ? undefined : new Fingerprints(fingerprintKey),
    ...checkNumbers(STEP_NUMBERS, given),
    runtime,
    network,
  }
}

function perSecondOf(value: number | undefined): number | undefined {
  if (value === undefined || (typeof value === 'number' && value > 0)) return value
  throw wrongNumber('rate.requestsPerSecond', 'above 0', value)
}

const VALUE_METHODS = ['page', 'read', 'swap'] as const
const OBJECT_METHODS = ['page', 'rewrap'] as const

/** Returns an own list of the sources. */
function checkSources(sources: readonly RecordSource[]): readonly RecordSource[] {
  const expected = `an array of 1 to ${String(MAX_SOURCES)} sources`
  if (!Array.isArray(sources)) throw wrongOption('sources', expected, sources)
  if (sources.length === 0 || sources.length > MAX_SOURCES)
    throw optionError('sources', `must be ${expected}, got ${String(sources.length)}`)
  const own = [...(sources as readonly RecordSource[])]
  own.forEach((source, i) => {
    const place = `sources.${String(i)}`
    const { name, kind, page } = Object(source) as Partial<RecordSource>
    if (page === undefined)
      throw wrongOption(place, 'a source, such as postgresSource({ … }) returns', source)
    if (typeof name !== 'string' || !NAME.test(name))
      throw wrongOption(`${place}.name`, '1 to 64 letters, digits, `.`, `_` and `-`', name)
    if (own.findIndex((other) => other.name === name) !== i)
      throw wrongOption(`${place}.name`, `unique: two sources are named ${name}`)
    oneOf(`${place}.kind`, kind as RecordSource['kind'], ['values', 'objects'])
    demandMethods(place, source, kind === 'values' ? VALUE_METHODS : OBJECT_METHODS)
  })
  return own
}
