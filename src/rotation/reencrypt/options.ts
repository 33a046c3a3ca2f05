import {
  type Bounds,
  checkNumbers,
  configError,
  demandMethods,
  plainOptions,
  refuseOthers,
  wrongOption,
} from '../../checks/index.ts'
import type { EncryptedEnvelope, EnvelopeCipher } from '../../envelope/index.ts'
import type { ContextInput } from '../../kms/index.ts'
import type { Network } from '../../ports/index.ts'
import { webNetwork } from '../../runtime/index.ts'
import type { RotationRecord, ValueSource } from '../record-source.ts'
import type { RotationFailure } from '../rotation-state.ts'

/** Returns the context or the aad of a value. */
export type MapOfValue = (record: RotationRecord, field: string, source: string) => ContextInput

/** Options of `reencryptRecords`. */
export interface ReencryptOptions {
  /** Decrypts what is stored, as your service does. */
  readonly from: Pick<EnvelopeCipher, 'decrypt'>
  /** Encrypts again. Make a new cipher, with a cache of its own: the old one still uses the data key that leaked. */
  readonly to: Pick<EnvelopeCipher, 'encrypt'>
  /** A table, not a bucket: put objects again with `EncryptedBucket`. */
  readonly source: ValueSource
  /** Returns the context of a value; by default the one that its envelope carries. */
  readonly contextOf?: MapOfValue
  /** Returns the aad of a value, if your service binds one: it is the same before and after. */
  readonly aadOf?: MapOfValue
  /**
   * Returns whether to encrypt a value again, e.g. by its `commitment`, which names its data key; by default all
   * values.
   */
  readonly affects?: (envelope: EncryptedEnvelope) => boolean
  /** Records of one page, 1 to 10,000; 500 by default. */
  readonly pageSize?: number
  /** Values in work at once, 1 to 256; 6 by default. */
  readonly concurrency?: number
  /** How often the source is walked, 1 to 100; 5 by default. It ends as soon as a walk finds nothing to do. */
  readonly maxSweeps?: number
  /** The longest call of the source, milliseconds; 30,000 by default. */
  readonly sourceTimeoutMs?: number
  /** Timers; the platform's own by default. */
  readonly network?: Network
  readonly signal?: AbortSignal | undefined
}

/** Counts of `reencryptRecords`. */
export interface ReencryptResult {
  /** Whether a whole walk found nothing more to do, and nothing failed. */
  readonly isComplete: boolean
  /** Values that were encrypted again. */
  readonly reencrypted: number
  /** Values that could not be encrypted again: decrypt them by hand, or delete them. */
  readonly failed: number
  /** The first failures, at most 20. */
  readonly failures: readonly Omit<RotationFailure, 'atMs'>[]
  /** Data-key records in the source. Delete those of the data key that leaked once `isComplete` is `true`. */
  readonly dataKeyRecords: number
}

/** Names of the integer options. */
type ReencryptNumber = 'pageSize' | 'concurrency' | 'maxSweeps' | 'sourceTimeoutMs'

/** The options, checked and complete. */
export interface ReencryptSettings
  extends
    Required<Pick<ReencryptOptions, 'from' | 'to' | 'source' | 'network'>>,
    Readonly<Record<ReencryptNumber, number>> {
  readonly contextOf: MapOfValue | undefined
  readonly aadOf: MapOfValue | undefined
  readonly affects: ReencryptOptions['affects']
  readonly signal: AbortSignal | undefined
}

/** Every default and range, once. */
const NUMBERS: Bounds<ReencryptNumber> = {
  pageSize: { standard: 500, least: 1, most: 10_000 },
  concurrency: { standard: 6, least: 1, most: 256 },
  maxSweeps: { standard: 5, least: 1, most: 100 },
  sourceTimeoutMs: { standard: 30_000, least: 1, most: 900_000 },
}

/** @throws KmsError `ERR_KMS_CONFIG` */
export function reencryptSettings(options: ReencryptOptions): ReencryptSettings {
  if (Object(options) !== options) throw wrongOption('options', 'an object', options)
  const { from, to, source, contextOf, aadOf, affects, ...rest } = plainOptions(options)
  const { network = webNetwork, signal, ...numbers } = rest
  refuseOthers(numbers, new Set(Object.keys(NUMBERS)))
  demandMethods('from', from, ['decrypt'])
  demandMethods('to', to, ['encrypt'])
  if ((from as unknown) === to)
    throw configError('to must be another cipher than from: its cache holds the old data keys')
  demandMethods('source', source, ['page', 'read', 'swap'])
  if ((source as { readonly kind: string }).kind !== 'values')
    throw wrongOption('source', 'a source of values: put objects again with EncryptedBucket')
  for (const [name, given] of Object.entries({ contextOf, aadOf, affects }))
    if (given !== undefined && typeof given !== 'function')
      throw wrongOption(name, 'a function', given)
  return {
    from,
    to,
    source,
    contextOf,
    aadOf,
    affects,
    network,
    signal,
    ...checkNumbers(NUMBERS, numbers),
  }
}
