import {
  type Bounds,
  checkNumbers,
  demandMethods,
  flag,
  isTexts,
  oneOf,
  plainOptions,
  refuseOthers,
  wrongOption,
} from '../checks/index.ts'
import { DATA_KEY_OPTIONS } from '../data-keys/index.ts'
import type { EncryptionContext, KekVersion, KeyLifecycle } from '../kms/index.ts'

/** Options of `KeyRotationManager.retire`. */
export interface RetireOptions {
  /** The version to retire, as a census shows it. An empty `kekVersion` means the whole KEK. */
  readonly version: KekVersion
  /** Disables and destroys, with credentials of its own. */
  readonly lifecycle: KeyLifecycle
  /**
   * Whether to schedule the destruction of the version after it was disabled for `destroyAfterMs`. `false` by
   * default.
   */
  readonly destroy?: boolean
  /** How long a version must have been disabled before it is destroyed, milliseconds; 7 days by default. */
  readonly destroyAfterMs?: number
  /** How the writers' caches are configured: the longest time for which one may still use an old data key. */
  readonly writers?: WriterTimes
  /**
   * `open` (default): every distinct data key is opened without the version. `none`: the claims of the values are
   * trusted, so an attacker who can write values can make you destroy a key in use.
   */
  readonly proof?: 'open' | 'none'
  /**
   * Whether to retire although values are corrupt: they may contain references that cannot be read. `false` by
   * default.
   */
  readonly acceptCorrupt?: boolean
  /**
   * Whether to retire although messages refer to data keys that are in no source, e.g. shredded ones. `false` by
   * default.
   */
  readonly acceptDangling?: boolean
  /**
   * Names of sources that may contain no envelope. By default an empty source stops the retirement, because its name
   * may be wrong.
   */
  readonly acceptEmpty?: readonly string[]
  /** Selects the KEK if each customer has one. */
  readonly context?: EncryptionContext
  readonly signal?: AbortSignal | undefined
}

/** Times of the writers' caches, in milliseconds. Give the largest value of all writers. */
export interface WriterTimes {
  /** `cache.ttlMs`; 300,000 by default. */
  readonly ttlMs?: number
  /** `cache.maxStaleWriteMs`; 60,000 by default. */
  readonly maxStaleMs?: number
  /** `encryptForMs`: if isolates share data keys, a key may be used for this time; 3,600,000 by default. */
  readonly encryptForMs?: number
}

/** The options, checked and complete. */
export interface RetireSettings {
  readonly version: KekVersion
  readonly lifecycle: KeyLifecycle
  readonly destroy: boolean
  readonly destroyAfterMs: number
  /** How long a writer may use a data key that was made under the version. */
  readonly writersMs: number
  readonly proof: 'open' | 'none'
  readonly acceptCorrupt: boolean
  readonly acceptDangling: boolean
  readonly acceptEmpty: readonly string[]
  readonly context: EncryptionContext | undefined
  readonly signal: AbortSignal | undefined
}

const DAY_MS = 86_400_000
/**
 * How long a vendor may wrap under the version before the current one.
 *
 * @see https://cloud.google.com/kms/docs/consistency
 */
const PROPAGATION_MS: Readonly<Record<string, number>> = { 'gcp-kms': 3 * 3_600_000 }
const DESTROY: Bounds<'destroyAfterMs'> = {
  destroyAfterMs: { standard: 7 * DAY_MS, least: 0, most: 365 * DAY_MS },
}
const WRITERS: Bounds<keyof WriterTimes> = {
  ttlMs: { ...DATA_KEY_OPTIONS.ttlMs, least: 0 },
  maxStaleMs: DATA_KEY_OPTIONS.maxStaleWriteMs,
  encryptForMs: { ...DATA_KEY_OPTIONS.encryptForMs, least: 0 },
}

/** @throws KmsError `ERR_KMS_CONFIG` */
export function retireSettings(options: RetireOptions): RetireSettings {
  if (Object(options) !== options) throw wrongOption('options', 'an object', options)
  const { version, lifecycle, destroy = false, writers = {}, ...rest } = plainOptions(options)
  const { proof = 'open', acceptCorrupt = false, context, signal, ...others } = rest
  const { destroyAfterMs, acceptDangling = false, acceptEmpty = [], ...unknown } = others
  refuseOthers(unknown)
  if (!isTexts(acceptEmpty)) throw wrongOption('acceptEmpty', 'an array of names of sources')
  const { ttlMs, maxStaleMs, encryptForMs } = checkNumbers(WRITERS, writers, 'writers.')
  demandMethods('lifecycle', lifecycle, ['stateOf', 'disable', 'enable', 'scheduleDestruction'])
  const kek = checkVersion(version)
  if (lifecycle.provider !== kek.provider)
    throw wrongOption('lifecycle', `of ${kek.provider}, the provider of the version`)
  return {
    version: kek,
    lifecycle,
    destroy: flag('destroy', destroy),
    ...checkNumbers(DESTROY, { destroyAfterMs }),
    writersMs: Math.max(ttlMs + maxStaleMs, encryptForMs) + (PROPAGATION_MS[kek.provider] ?? 0),
    proof: oneOf('proof', proof, ['open', 'none']),
    acceptCorrupt: flag('acceptCorrupt', acceptCorrupt),
    acceptDangling: flag('acceptDangling', acceptDangling),
    acceptEmpty,
    context,
    signal,
  }
}

function checkVersion(version: KekVersion): KekVersion {
  const { provider, kekId, kekVersion } = Object(version) as Partial<KekVersion>
  const isVersion = [provider, kekId, kekVersion].every((text) => typeof text === 'string')
  if (isVersion && provider !== '' && kekId !== '')
    return { provider, kekId, kekVersion } as KekVersion
  throw wrongOption('version', 'an object with provider, kekId and kekVersion', version)
}
