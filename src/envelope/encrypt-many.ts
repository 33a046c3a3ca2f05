import { type Bytes, copyBytes, toBytes } from '../bytes/index.ts'
import { isPlain } from '../checks/index.ts'
import { DataEncryptionKey, type DataKeySource, type EnvelopeForm } from '../data-keys/index.ts'
import { isKmsError, type KmsError, type Outcome, outcomeOf } from '../errors.ts'
import { contextId, type ContextInput } from '../kms/index.ts'
import { demandItems, inWindows } from './batch-windows.ts'
import { BATCH_OPTIONS, checkOptions, ownMaps, signalOptions } from './call-options.ts'
import { sealRecord } from './encrypt-record.ts'
import type { CallOptions } from './options.ts'
import type { CipherSettings } from './settings.ts'
import { started } from './started.ts'

/** One plaintext of `encryptMany`. */
export interface EncryptItem {
  readonly plaintext: Uint8Array
  readonly context?: ContextInput
  readonly aad?: ContextInput
  /** Overrides the cipher's `form` for this item. */
  readonly form?: EnvelopeForm
}

const ITEM_OPTIONS: ReadonlySet<string> = new Set(['plaintext', 'context', 'aad', 'form'])

/** Encrypts many records: in order, one outcome for each. */
export async function encryptMany(
  settings: CipherSettings,
  items: readonly EncryptItem[],
  options: CallOptions,
): Promise<readonly Outcome<Bytes>[]> {
  checkOptions(options, BATCH_OPTIONS)
  demandItems(items)
  // Not `forEach`, which skips the holes of an array.
  for (const [i, item] of items.entries())
    toBytes(
      (item as EncryptItem | undefined)?.plaintext as Uint8Array,
      `items[${String(i)}].plaintext`,
    )
  const call = signalOptions(options)
  const own = { ...settings, keys: { active: askedOnce(settings.keys) } }
  const encrypt = (item: EncryptItem): Promise<Outcome<Bytes>> =>
    outcomeOf(
      started(() => {
        checkOptions(item, ITEM_OPTIONS, 'item')
        return sealRecord(own, toBytes(item.plaintext, 'plaintext'), item, call)
      }),
    )
  return inWindows(items, call.signal, encrypt, ownItem)
}

/** The item as it is now: the caller may use its buffer and maps again. */
function ownItem(item: EncryptItem): EncryptItem {
  if (!isPlain(item)) return item // refused where its options are checked
  return { ...item, ...ownMaps(item), plaintext: copyBytes(item.plaintext) } as EncryptItem
}

/** Data keys for one batch: it remembers why there is none for a context, and does not ask again. */
function askedOnce(keys: DataKeySource): DataKeySource['active'] {
  const failed = new Map<string, KmsError>()
  return (context, options) => {
    const idOf = (): string => contextId(context) + String(options.durable)
    const before = failed.size > 0 && failed.get(idOf())
    if (before) throw before
    const key = keys.active(context, options)
    if (key instanceof DataEncryptionKey) return key
    const id = idOf()
    return key.catch((error: unknown) => {
      if (isKmsError(error) && /^ERR_(KMS_[^C]|STORE)/.test(error.code)) failed.set(id, error)
      throw error
    })
  }
}
