import { type Bytes, copyBytes, encodeBase64Url, toBytes } from '../bytes/index.ts'
import { recordAad } from '../ciphers/index.ts'
import { type DataEncryptionKey, type OpenRequest, settle } from '../data-keys/index.ts'
import type { Outcome } from '../errors.ts'
import { contextId, type EncryptionContext, type KmsSignalOptions } from '../kms/index.ts'
import { type MessageHead, type MessageKind, parseMessage } from '../wire/index.ts'
import {
  decryptKnown,
  encryptRecordMessage,
  openBody,
  openKey,
  ownMaps,
  RECORD_KINDS,
  signalOptions,
} from './records.ts'
import { type CipherSettings, readPolicy } from './settings.ts'

/** One plaintext of `encryptMany`. */
export interface EncryptItem {
  readonly plaintext: Uint8Array
  readonly context?: EncryptionContext
  readonly aad?: EncryptionContext
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
  const encrypt = (item: EncryptItem): Promise<Outcome<Bytes>> =>
    settle(() =>
      encryptRecordMessage(settings, item.plaintext, { ...item, ...signalOptions(options) }),
    )
  const outcomes = new Array<Outcome<Bytes>>(items.length)
  // The first of each context alone, so that a cold cache makes one data key for it and not many.
  const seen = new Set<string>()
  const rest: number[] = []
  for (const [i, item] of own.entries()) {
    const id = await settle(() => contextId(item.context))
    if (!id.ok) outcomes[i] = id
    else if (seen.has(id.value)) rest.push(i)
    else {
      seen.add(id.value)
      outcomes[i] = await encrypt(item)
    }
  }
  await inWindows(rest, options.signal, async (i) => {
    outcomes[i] = await encrypt(own[i] as EncryptItem)
  })
  return outcomes
}

interface Parsed {
  readonly head: MessageHead
  readonly body: Bytes
}

/** Decrypts many messages: each distinct data key is unwrapped once. In order, one outcome for each. */
export async function decryptBatch(
  settings: CipherSettings,
  items: readonly DecryptItem[],
  options: KmsSignalOptions & { readonly kinds?: readonly MessageKind[] },
): Promise<readonly Outcome<Bytes>[]> {
  const kinds = options.kinds ?? RECORD_KINDS
  const outcomes = new Array<Outcome<Bytes>>(items.length)
  const unknown: number[] = []
  const own = items.map((item): OwnItem => {
    return { envelope: copyBytes(toBytes(item.envelope, 'envelope')), ...ownMaps(item) }
  })
  await inWindows([...own.keys()], options.signal, async (i) => {
    const item = own[i] as OwnItem
    const known = await settle(async () => decryptKnown(settings, item.envelope, kinds, item))
    if (known.ok && known.value === undefined) unknown.push(i)
    else outcomes[i] = known as Outcome<Bytes>
  })
  if (unknown.length === 0) return outcomes
  const rest = unknown.sort((a, b) => a - b).map((i) => own[i] as OwnItem)
  const opened = await decryptUnknown(settings, rest, kinds, options)
  for (const [place, outcome] of opened.entries()) outcomes[unknown[place] as number] = outcome
  return outcomes
}

/** One item as it was when the call began: the caller may use buffers and maps again. */
interface OwnItem extends DecryptItem {
  readonly envelope: Bytes
}

async function decryptUnknown(
  settings: CipherSettings,
  items: readonly OwnItem[],
  kinds: readonly MessageKind[],
  options: KmsSignalOptions,
): Promise<readonly Outcome<Bytes>[]> {
  const policy = readPolicy(settings, kinds)
  const parsed = items.map(({ envelope, aad }) =>
    settle((): Parsed => {
      const head = parseMessage(envelope, policy)
      recordAad(aad) // refuses a map before any I/O
      return { head, body: envelope.subarray(head.bodyAt) }
    }),
  )
  const messages = await Promise.all(parsed)
  const keys = await openKeys(settings, items, messages, options)
  const outcomes = new Array<Outcome<Bytes>>(items.length)
  await inWindows([...items.keys()], options.signal, async (i) => {
    const key = keys[i] as Outcome<DataEncryptionKey>
    const message = messages[i] as Outcome<Parsed>
    if (!key.ok || !message.ok) {
      outcomes[i] = key as Outcome<never>
      return
    }
    const { head, body } = message.value
    outcomes[i] = await settle(() => openBody(head, body, key.value, items[i]?.aad))
  })
  return outcomes
}

/** One data key, or its error, for each message. */
async function openKeys(
  settings: CipherSettings,
  items: readonly DecryptItem[],
  messages: readonly Outcome<Parsed>[],
  options: KmsSignalOptions,
): Promise<readonly Outcome<DataEncryptionKey>[]> {
  const keys = new Array<Outcome<DataEncryptionKey>>(items.length)
  const inline: { readonly place: number; readonly request: OpenRequest }[] = []
  const references = new Map<string, Promise<Outcome<DataEncryptionKey>>>()
  const lookups: Promise<void>[] = []
  for (const [place, message] of messages.entries()) {
    const context = items[place]?.context
    if (!message.ok) {
      keys[place] = message
      continue
    }
    const { head } = message.value
    if (head.header !== undefined) {
      inline.push({ place, request: { header: head.header, context } })
      continue
    }
    const id = await settle(() => `${encodeBase64Url(head.commitment)} ${contextId(context)}`)
    if (!id.ok) {
      keys[place] = id
      continue
    }
    let lookup = references.get(id.value)
    if (lookup === undefined) {
      lookup = settle(() => openKey(settings, head, context, options))
      references.set(id.value, lookup)
    }
    lookups.push(
      lookup.then((outcome) => {
        keys[place] = outcome
      }),
    )
  }
  // Together: a look-up that fails while the KMS is waited for must find its handler there.
  const [opened] = await Promise.all([
    settings.keys.openMany(
      inline.map(({ request }) => request),
      signalOptions(options),
    ),
    ...lookups,
  ])
  for (const [i, { place }] of inline.entries())
    keys[place] = opened[i] as Outcome<DataEncryptionKey>
  return keys
}

/** Runs the work in groups: a bounded number in flight, none of it starved. */
async function inWindows(
  places: readonly number[],
  signal: AbortSignal | undefined,
  work: (place: number) => Promise<void>,
): Promise<void> {
  for (let at = 0; at < places.length; at += ITEMS_IN_FLIGHT) {
    signal?.throwIfAborted()
    await Promise.all(places.slice(at, at + ITEMS_IN_FLIGHT).map(work))
  }
}
