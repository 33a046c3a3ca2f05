import { type Bytes, copyBytes, encodeBase64Url, toBytes } from '../bytes/index.ts'
import { recordAad } from '../ciphers/index.ts'
import { refuseOthers } from '../checks/index.ts'
import {
  BatchSubkeys,
  DataEncryptionKey,
  type DataKeySource,
  type Defer,
  type EnvelopeForm,
  type OpenRequest,
  outcomeOf,
  settle,
  valueOf,
} from '../data-keys/index.ts'
import { isKmsError, type KmsError, type Outcome } from '../errors.ts'
import { contextId, type EncryptionContext } from '../kms/index.ts'
import type { MessageHead, MessageKind } from '../wire/index.ts'
import {
  decryptKnown,
  encryptRecordMessage,
  kindsOf,
  openBody,
  openKey,
  ownMaps,
  readMessage,
  RECORD_KINDS,
} from './records.ts'
import type { CallOptions } from './options.ts'
import type { CipherSettings } from './settings.ts'

/** One plaintext of `encryptMany`. */
export interface EncryptItem {
  readonly plaintext: Uint8Array
  readonly context?: EncryptionContext
  readonly aad?: EncryptionContext
  /** Overrides the cipher's `form` for this item. */
  readonly form?: EnvelopeForm
}

/** One envelope of `decryptMany`. */
export interface DecryptItem {
  readonly envelope: Uint8Array
  readonly context?: EncryptionContext
  readonly aad?: EncryptionContext
}

/** Options of `decryptMany`, for all items. */
export interface DecryptManyOptions extends CallOptions {
  readonly kinds?: readonly MessageKind[]
}

/** AEAD calls in flight: a platform gains nothing past this (measured). */
const ITEMS_IN_FLIGHT = 64

/** Encrypts many records: in order, one outcome for each. */
export async function encryptBatch(
  settings: CipherSettings,
  items: readonly EncryptItem[],
  { signal, defer, ...others }: CallOptions,
): Promise<readonly Outcome<Bytes>[]> {
  refuseOthers(others)
  for (const { plaintext } of items) toBytes(plaintext, 'plaintext')
  const own = { ...settings, keys: { active: askedOnce(settings.keys) } }
  const encrypt = (item: EncryptItem): Promise<Outcome<Bytes>> =>
    outcomeOf(encryptRecordMessage(own, item.plaintext, item, { signal, defer }))
  return inWindows(items, signal, encrypt, (item) => owned(item, 'plaintext'))
}

/** Data keys for a batch: why there is none for a context is remembered, and nobody is asked again. */
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

/** One item as it is now: the caller may use its buffer and maps again. */
function owned<T extends EncryptItem | DecryptItem>(item: T, bytes: keyof T): T {
  const { [bytes]: value, ...others } = Object(item) as T
  // What is no envelope is none: the parser says so, as the outcome of this item.
  const own = value instanceof Uint8Array ? copyBytes(value) : new Uint8Array(0)
  return { ...others, ...ownMaps(others), [bytes]: own } as T
}

/** Decrypts many messages: each distinct data key is unwrapped once. In order, one outcome for each. */
export async function decryptBatch(
  settings: CipherSettings,
  items: readonly DecryptItem[],
  { kinds: asked, signal, defer, ...others }: DecryptManyOptions,
): Promise<readonly Outcome<Bytes>[]> {
  refuseOthers(others)
  const kinds = kindsOf(asked, RECORD_KINDS)
  const rest: DecryptItem[] = []
  const copy = (item: DecryptItem): DecryptItem => owned(item, 'envelope')
  const batch = new BatchSubkeys()
  const known = await inWindows(
    items,
    signal,
    (item) => knownAtOnce(settings, kinds, item, defer, batch) ?? rest.push(copy(item)) - 1,
    copy,
  )
  const opened = await decryptUnknown(settings, rest, kinds, { signal, defer }, batch)
  return known.map((at) => (typeof at === 'number' ? (opened[at] as Outcome<Bytes>) : at))
}

/** What a key at hand opens in this turn; a fault is found again, and told, with the others. */
function knownAtOnce(
  settings: CipherSettings,
  kinds: readonly MessageKind[],
  item: DecryptItem,
  defer: Defer,
  batch: BatchSubkeys,
): Promise<Outcome<Bytes>> | undefined {
  try {
    const known = decryptKnown(settings, toBytes(item.envelope, ''), kinds, item, defer, batch)
    return known && outcomeOf(known)
  } catch {
    return undefined
  }
}

async function decryptUnknown(
  settings: CipherSettings,
  items: readonly DecryptItem[],
  kinds: readonly MessageKind[],
  signal: CallOptions,
  batch: BatchSubkeys,
): Promise<Outcome<Bytes>[]> {
  const requests: OpenRequest[] = []
  const references = new Map<string, Promise<Outcome<DataEncryptionKey>>>()
  const read = ({ envelope, context, aad }: DecryptItem): readonly [MessageHead, KeyPlace] => {
    const head = readMessage(settings, envelope as Bytes, kinds)
    recordAad(aad) // refuses a map before any I/O
    const { header, commitment } = head
    if (header !== undefined) return [head, requests.push({ header, context }) - 1]
    const id = `${encodeBase64Url(commitment)} ${contextId(context)}`
    const key = references.get(id) ?? settle(() => openKey(settings, head, context, signal))
    references.set(id, key)
    return [head, key]
  }
  const messages = await Promise.all(items.map((item) => settle(() => read(item))))
  // Together: a look-up that fails while the KMS is waited for must find its handler there.
  const [opened] = await Promise.all([
    settings.keys.openMany(requests, signal),
    ...references.values(),
  ])
  return inWindows(items, signal.signal, ({ envelope, aad }, i) =>
    settle(async () => {
      const [head, place] = valueOf(messages[i] as (typeof messages)[number])
      const key = typeof place === 'number' ? opened[place] : await place
      const body = (envelope as Bytes).subarray(head.bodyAt)
      return openBody(head, body, valueOf(key as Outcome<DataEncryptionKey>), aad, batch)
    }),
  )
}

/** Where the data key of a message comes from: the question about many, or a look-up. */
type KeyPlace = number | Promise<Outcome<DataEncryptionKey>>

/**
 * Works in groups: a bounded number in flight, none of it starved. What is started in this turn is copied by
 * the platform; the rest, before the first wait, by `copy`.
 */
async function inWindows<T, R>(
  items: readonly T[],
  signal: AbortSignal | undefined,
  start: (item: T, i: number) => R,
  copy: (item: T) => T = (item) => item,
): Promise<Awaited<R>[]> {
  const results: Awaited<R>[] = []
  let own = Array.from(items) // what is missing is an item, too
  do {
    signal?.throwIfAborted()
    const at = results.length
    const group = own.slice(at, at + ITEMS_IN_FLIGHT).map((item, i) => start(item, at + i))
    if (at === 0) own = own.map((item, i) => (i < group.length ? item : copy(item)))
    results.push(...(await Promise.all(group)))
  } while (results.length < own.length)
  return results
}
