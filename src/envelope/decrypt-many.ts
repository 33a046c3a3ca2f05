import { type Bytes, copyBytes, encodeBase64Url, toBytes } from '../bytes/index.ts'
import { isPlain } from '../checks/index.ts'
import { BatchSubkeys, recordAad } from '../ciphers/index.ts'
import type { DataEncryptionKey, Defer, OpenRequest } from '../data-keys/index.ts'
import { KmsError, type Outcome, outcomeOf, settle, valueOf } from '../errors.ts'
import { contextId, type ContextInput } from '../kms/index.ts'
import type { MessageHead, MessageKind } from '../wire/index.ts'
import { demandItems, inWindows } from './batch-windows.ts'
import {
  BATCH_OPTIONS,
  checkOptions,
  kindsOf,
  mapsOf,
  ownMaps,
  RECORD_KINDS,
  signalOptions,
} from './call-options.ts'
import { decryptKnown } from './decrypt-message.ts'
import { openBody, openKey, readMessage } from './open-message.ts'
import type { CallOptions } from './options.ts'
import type { CipherSettings } from './settings.ts'

/** One envelope of `decryptMany`. */
export interface DecryptItem {
  readonly envelope: Uint8Array
  readonly context?: ContextInput
  readonly aad?: ContextInput
}

/** Options of `decryptMany`, for all items. */
export interface DecryptManyOptions extends CallOptions {
  /** Kinds that this call accepts. The data never decides it. */
  readonly kinds?: readonly MessageKind[]
}

const ITEM_OPTIONS: ReadonlySet<string> = new Set(['envelope', 'context', 'aad'])

/** Decrypts many messages: each distinct data key is unwrapped once. In order, one outcome for each. */
export async function decryptMany(
  settings: CipherSettings,
  items: readonly DecryptItem[],
  options: DecryptManyOptions,
): Promise<readonly Outcome<Bytes>[]> {
  checkOptions(options, BATCH_OPTIONS)
  demandItems(items)
  const kinds = kindsOf(options.kinds, RECORD_KINDS)
  const call = signalOptions(options)
  const rest: DecryptItem[] = []
  const batch = new BatchSubkeys()
  const known = await inWindows(
    items,
    call.signal,
    (item) => knownAtOnce(settings, kinds, item, call.defer, batch) ?? rest.push(ownItem(item)) - 1,
    ownItem,
  )
  const opened = await decryptUnknown(settings, rest, kinds, call, batch)
  return known.map((at) => (typeof at === 'number' ? (opened[at] as Outcome<Bytes>) : at))
}

/** The item as it is now: the caller may use its buffer and maps again. An item that throws becomes an empty message. */
function ownItem(item: DecryptItem): DecryptItem {
  try {
    return copyOf(item)
  } catch {
    return { envelope: new Uint8Array(0) }
  }
}

function copyOf(item: DecryptItem): DecryptItem {
  if (!isPlain(item)) return item // refused where its options are checked
  const { envelope, ...others } = item
  // Anything but bytes becomes an empty message, which the parser refuses as the outcome of this item.
  const own = (envelope as unknown) instanceof Uint8Array ? copyBytes(envelope) : new Uint8Array(0)
  return { ...others, ...ownMaps(others), envelope: own } as DecryptItem
}

/** Opens the item in this turn if its key is at hand. Any fault is found, and reported, with the others. */
function knownAtOnce(
  settings: CipherSettings,
  kinds: readonly MessageKind[],
  item: DecryptItem,
  defer: Defer,
  batch: BatchSubkeys,
): Promise<Outcome<Bytes>> | undefined {
  try {
    checkOptions(item, ITEM_OPTIONS, 'item')
    const known = decryptKnown(
      settings,
      toBytes(item.envelope, 'envelope'),
      kinds,
      item,
      defer,
      batch,
    )
    return known && outcomeOf(known)
  } catch {
    return undefined
  }
}

/** The source of a message's data key: a place in the batch for the KMS, or a look-up. */
type KeyPlace = number | Promise<Outcome<DataEncryptionKey>>

async function decryptUnknown(
  settings: CipherSettings,
  items: readonly DecryptItem[],
  kinds: readonly MessageKind[],
  call: CallOptions,
  batch: BatchSubkeys,
): Promise<Outcome<Bytes>[]> {
  const requests: OpenRequest[] = []
  const references = new Map<string, Promise<Outcome<DataEncryptionKey>>>()
  const read = (item: DecryptItem): readonly [MessageHead, KeyPlace] => {
    checkOptions(item, ITEM_OPTIONS, 'item')
    const { context, aad } = mapsOf(item)
    const head = readMessage(settings, item.envelope as Bytes, kinds)
    recordAad(aad) // refuses a map before any I/O
    const { header, commitment } = head
    if (header !== undefined) return [head, requests.push({ header, context }) - 1]
    const id = `${encodeBase64Url(commitment)} ${contextId(context)}`
    const key = references.get(id) ?? settle(() => openKey(settings, head, context, call))
    references.set(id, key)
    return [head, key]
  }
  const messages = await Promise.all(items.map((item) => settle(() => read(item))))
  // Together: a look-up that fails while the KMS is waited for must find its handler there.
  const [opened] = await Promise.all([
    settings.keys.openMany(requests, call),
    ...references.values(),
  ])
  return inWindows(items, call.signal, (item, i) =>
    settle(async () => {
      const [head, place] = valueOf(messages[i] as (typeof messages)[number])
      const key = typeof place === 'number' ? opened[place] : await place
      const body = (item.envelope as Bytes).subarray(head.bodyAt)
      return openBody(head, body, keyOf(key), mapsOf(item).aad, batch)
    }),
  )
}

/** A source that answers with fewer outcomes, or with something else, must not end the whole batch. */
function keyOf(outcome: Outcome<DataEncryptionKey> | undefined): DataEncryptionKey {
  const key: Partial<DataEncryptionKey> | undefined = outcome && valueOf(outcome)
  if (typeof key?.decryptRecord === 'function') return key as DataEncryptionKey
  const message = 'the source of data keys has no data key for this message'
  throw new KmsError('ERR_KMS_RESPONSE_INVALID', { message })
}
