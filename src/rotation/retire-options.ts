import {
  type Bounds,
  checkNumbers,
  demandMethods,
  flag,
  oneOf,
  plainOptions,
  refuseOthers,
  wrongOption,
} from '../checks/index.ts'
import { DATA_KEY_OPTIONS } from '../data-keys/index.ts'
import type { EncryptionContext, KekVersion } from '../kms/index.ts'
import type { RotationCensus } from './census.ts'
import type { KeyLifecycle } from './key-lifecycle.ts'

/** Options of `KeyRotationManager.retire`. */
export interface RetireOptions {
  /** The version to retire, as a census shows it. An empty `kekVersion` means the whole KEK. */
  readonly version: KekVersion
  /** Disables and destroys, with credentials of its own. */
  readonly lifecycle: KeyLifecycle
  /** After it was disabled for `destroyAfterMs`, schedule its destruction. `false` by default. */
  readonly destroy?: boolean
  /** How long a version must have been disabled before it is destroyed, milliseconds; 7 days by default. */
  readonly destroyAfterMs?: number
  /** How the writers' caches are configured: the longest time for which one may still use an old data key. */
  readonly writers?: WriterTimes
  /**
   * `open` (default): every distinct data key is opened without the version. `none`: what values say about
   * themselves is believed, which an attacker who can write them may use to make you destroy a key in use.
   */
  readonly proof?: 'open' | 'none'
  /**
   * Retire although values are corrupt, or by reference to a record that no source holds, e.g. because it was
   * shredded: those may refer to the version, and nobody can tell. `false` by default.
   */
  readonly acceptCorrupt?: boolean
  /** Picks the KEK, where customers have KEKs of their own. */
  readonly context?: EncryptionContext
  readonly signal?: AbortSignal | undefined
}

/** Times of the writers' caches, milliseconds: give the largest of all that write. */
export interface WriterTimes {
  /** `cache.ttlMs`; 300,000 by default. */
  readonly ttlMs?: number
  /** `cache.maxStaleWriteMs`; 60,000 by default. */
  readonly maxStaleMs?: number
  /** `encryptForMs`: where isolates share data keys, one may be used so long; 3,600,000 by default. */
  readonly encryptForMs?: number
}

/**
 * What a call of `retire` found and did. Only `disabled` and `scheduled` changed something.
 *
 * - `referenced`: values refer to the version, or may: rotate first, or look at them.
 * - `waiting`: there is no reference, and it is too early for the next step. Call again after `untilMs`.
 * - `in-use`: the vendor saw the version used after the last reference was gone.
 * - `disabled`: the version is disabled now. Watch for errors, then call again with `destroy: true`.
 * - `scheduled`: the vendor will destroy the version.
 * - `retired`: that was done before.
 */
export type RetirementResult =
  | {
      readonly status: 'referenced'
      /** Values with a wrap under the version. */
      readonly references: number
      /** Values that do not open without the version, or whose KEK refused. */
      readonly unproven: number
      readonly corrupt: number
      /** Values by reference whose data-key record is in no source. */
      readonly dangling: number
      readonly census: RotationCensus
    }
  | { readonly status: 'waiting'; readonly step: 'disable' | 'destroy'; readonly untilMs: number }
  | { readonly status: 'in-use'; readonly lastUsedAtMs: number }
  | { readonly status: 'disabled' }
  | { readonly status: 'scheduled'; readonly destroyAtMs?: number }
  | { readonly status: 'retired' }

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
  readonly context: EncryptionContext | undefined
  readonly signal: AbortSignal | undefined
}

const DAY_MS = 86_400_000
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
  const { destroyAfterMs, ...unknown } = others
  refuseOthers(unknown)
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
    writersMs: Math.max(ttlMs + maxStaleMs, encryptForMs),
    proof: oneOf('proof', proof, ['open', 'none']),
    acceptCorrupt: flag('acceptCorrupt', acceptCorrupt),
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
