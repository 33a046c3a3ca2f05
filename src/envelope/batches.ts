import { type Bytes, copyBytes, encodeBase64Url, toBytes } from '../bytes/index.ts'
import { recordAad } from '../ciphers/index.ts'
import {
  type DataEncryptionKey,
  type EnvelopeForm,
  type OpenRequest,
  settle,
  valueOf,
} from '../data-keys/index.ts'
import { isKmsError, type KmsError, type Outcome } from '../errors.ts'
import { contextId, type EncryptionContext, type KmsSignalOptions } from '../kms/index.ts'
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
  signalOptions,
} from './records.ts'
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

/** AEAD calls in flight: a platform gains nothing past this (measured). */
const ITEMS_IN_FLIGHT = 64

/** Encrypts many records: in order, one outcome for each. */
export async function encryptBatch(
  settings: CipherSettings,
  items: readonly EncryptItem[],
  options: KmsSignalOptions,
): Promise<readonly Outcome<Bytes>[]> {
  const own = items.map((item): EncryptItem => {
    return { ...item, plaintext: copyBytes(toBytes(item.plaintext, 'plaintext')), ...ownMaps(item) }
  })
  const failed = new Map<string, KmsError>()
  return inWindows(own, options, async (item) => {
    const id = `${String(item.form)} ${contextId(item.context)}`
    const before = failed.get(id)
    if (before !== undefined) throw before
    try {
      return await encryptRecordMessage(settings, item.plaintext, {
        ...item,
        ...signalOptions(options),
      })
    } catch (error) {
      // There is no key to be had for this context: nobody is asked again.
      if (isKmsError(error) && /^ERR_(KMS|STORE)/.test(error.code)) failed.set(id, error)
      throw error
    }
  })
}

/** One item as it was when the call began: the caller may use buffers and maps again. */
interface OwnItem extends DecryptItem {
  readonly envelope: Bytes
}

/** Decrypts many messages: each distinct data key is unwrapped once. In order, one outcome for each. */
export async function decryptBatch(
  settings: CipherSettings,
  items: readonly DecryptItem[],
  options: KmsSignalOptions & { readonly kinds?: readonly MessageKind[] },
): Promise<readonly Outcome<Bytes>[]> {
  const kinds = kindsOf(options.kinds, RECORD_KINDS)
  const own = items.map((item): OwnItem => {
    const { envelope } = item
    // What is no envelope is none: the parser says so, as the outcome of this item.
    const bytes = envelope instanceof Uint8Array ? copyBytes(envelope) : new Uint8Array(0)
    return { envelope: bytes, ...ownMaps(item) }
  })
  const known = await inWindows(own, options, async (item) =>
    decryptKnown(settings, item.envelope, kinds, item),
  )
  const isUnknown = (outcome: Outcome<Bytes | undefined> | undefined): boolean =>
    outcome?.ok === true && outcome.value === undefined
  const rest = own.filter((_, i) => isUnknown(known[i]))
  const opened = rest.length === 0 ? [] : await decryptUnknown(settings, rest, kinds, options)
  return known.map((outcome) => (isUnknown(outcome) ? opened.shift() : outcome) as Outcome<Bytes>)
}

async function decryptUnknown(
  settings: CipherSettings,
  items: readonly OwnItem[],
  kinds: readonly MessageKind[],
  options: KmsSignalOptions,
): Promise<Outcome<Bytes>[]> {
  const signal = signalOptions(options)
  const requests: OpenRequest[] = []
  const references = new Map<string, Promise<Outcome<DataEncryptionKey>>>()
  const read = ({ envelope, context, aad }: OwnItem): readonly [MessageHead, KeyPlace] => {
    const head = readMessage(settings, envelope, kinds)
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
  return inWindows(items, options, async ({ envelope, aad }, i) => {
    const [head, place] = valueOf(messages[i] as (typeof messages)[number])
    const key = typeof place === 'number' ? opened[place] : await place
    const body = envelope.subarray(head.bodyAt)
    return openBody(head, body, valueOf(key as Outcome<DataEncryptionKey>), aad)
  })
}

/** Where the data key of a message comes from: the question about many, or a look-up. */
type KeyPlace = number | Promise<Outcome<DataEncryptionKey>>

/** Runs the work in groups: a bounded number in flight, none of it starved. */
async function inWindows<T, R>(
  items: readonly T[],
  { signal }: KmsSignalOptions,
  work: (item: T, i: number) => Promise<R>,
): Promise<Outcome<R>[]> {
  const outcomes: Outcome<R>[] = []
  while (outcomes.length < items.length) {
    signal?.throwIfAborted()
    const at = outcomes.length
    const group = items.slice(at, at + ITEMS_IN_FLIGHT)
    const run = group.map((item, i) => settle(() => work(item, at + i)))
    outcomes.push(...(await Promise.all(run)))
  }
  return outcomes
}
