import { type Bytes, copyBytes, toBytes } from '../bytes/index.ts'
import { recordAad, streamContext } from '../ciphers/index.ts'
import { type BatchSubkeys, DataEncryptionKey, type Defer } from '../data-keys/index.ts'
import { refuseOthers, wrongOption } from '../checks/index.ts'
import { KmsError } from '../errors.ts'
import { canonicalContext, type EncryptionContext, isPlain } from '../kms/index.ts'
import {
  beginsAs,
  checkBodyLength,
  HEAD_AT,
  type MessageHead,
  type MessageKind,
  parseMessage,
} from '../wire/index.ts'
import { decryptStreamBody } from './decrypt-stream.ts'
import type { CallOptions, DecryptOptions, EncryptOptions, MessageOptions } from './options.ts'
import { type CipherSettings, formOf, readPolicy } from './settings.ts'

/** What `decrypt` opens unless told otherwise. */
export const RECORD_KINDS: readonly MessageKind[] = ['record', 'record-by-reference']

/** What a record is encrypted with. */
type RecordSettings = Omit<CipherSettings, 'keys'> & {
  readonly keys: Pick<CipherSettings['keys'], 'active'>
}

/**
 * Refuses a misspelt `context` or `aad`: it would bind nothing, and the same mistake would decrypt.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
function demandKnown(
  options: EncryptOptions & DecryptOptions & { readonly plaintext?: Uint8Array },
): void {
  if (options.context !== undefined && options.aad !== undefined) return
  const {
    context: _context,
    aad: _aad,
    form: _form,
    kinds: _kinds,
    signal: _signal,
    defer: _defer,
    plaintext: _plaintext,
    ...others
  } = options
  refuseOthers(others)
}

/** Encrypts one record. */
export function encryptRecordMessage(
  settings: RecordSettings,
  plaintext: Uint8Array,
  options: EncryptOptions,
  { signal, defer }: CallOptions = options,
): Promise<Bytes> {
  return started(() => {
    demandKnown(options)
    const bytes = toBytes(plaintext, 'plaintext')
    if (bytes.length > settings.maxRecordBytes) throw new KmsError('ERR_ENVELOPE_TOO_LARGE') // W4.9
    signal?.throwIfAborted()
    const form = formOf(options.form ?? settings.form)
    const aad = recordAad(options.aad)
    const durable = form === 'reference'
    const call = { signal, defer, durable }
    const key = settings.keys.active(options.context, call)
    // With the key at hand the platform copies the plaintext in this turn; else it is copied here.
    if (key instanceof DataEncryptionKey) return key.encryptRecord(bytes, aad, form)
    const own = copyBytes(bytes)
    return key.then((made) => made.encryptRecord(own, aad, form))
  })
}

/** Decrypts one message in memory. */
export function decryptMessage(
  settings: CipherSettings,
  envelope: Uint8Array,
  options: DecryptOptions,
): Promise<Bytes> {
  return started(() => {
    const bytes = toBytes(envelope, 'envelope')
    options.signal?.throwIfAborted()
    const kinds = kindsOf(options.kinds, RECORD_KINDS)
    return (
      decryptKnown(settings, bytes, kinds, options, options.defer) ??
      decryptOther(settings, bytes, kinds, options)
    )
  })
}

/** What was started, or why it was not. An async function would put a promise of its own around it. */
function started<T>(work: () => Promise<T>): Promise<T> {
  try {
    return work()
  } catch (error) {
    const reason: Error = error as Error
    return Promise.reject(reason)
  }
}

async function decryptOther(
  settings: CipherSettings,
  bytes: Bytes,
  kinds: readonly MessageKind[],
  options: DecryptOptions,
): Promise<Bytes> {
  const head = readMessage(settings, bytes, kinds)
  const body = copyBytes(bytes.subarray(head.bodyAt))
  recordAad(options.aad) // refuses a map before any I/O
  const { context, aad } = ownMaps(options)
  const key = await openKey(settings, head, context, options)
  return openBody(head, body, key, aad)
}

/**
 * What a call accepts. A string would be searched for parts of names.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function kindsOf(
  kinds: readonly MessageKind[] | undefined,
  usual: readonly MessageKind[],
): readonly MessageKind[] {
  if (kinds === undefined || Array.isArray(kinds)) return kinds ?? usual
  throw wrongOption('kinds')
}

/** The head of a message in memory that this cipher accepts. */
export function readMessage(
  settings: CipherSettings,
  bytes: Bytes,
  kinds: readonly MessageKind[],
): MessageHead {
  const head = parseMessage(bytes, readPolicy(settings, kinds))
  if (head.kind.startsWith('record')) checkRecord(settings, bytes.length - head.bodyAt)
  return head
}

function checkRecord(settings: CipherSettings, bodyBytes: number): void {
  checkBodyLength('record', bodyBytes)
  if (bodyBytes <= settings.maxRecordBodyBytes) return
  throw new KmsError('ERR_WIRE_LIMIT_EXCEEDED') // more than maxRecordBytes
}

/** Opens the body of any message in memory that has one. */
export async function openBody(
  head: MessageHead,
  body: Bytes,
  key: DataEncryptionKey,
  aad: EncryptionContext | undefined,
  batch?: BatchSubkeys,
): Promise<Bytes> {
  if (head.kind === 'data-key-record') throw new KmsError('ERR_WIRE_KIND_REFUSED') // it has no body
  return head.kind.startsWith('record')
    ? key.decryptRecord(body, recordAad(aad), 0, batch)
    : decryptStreamBody(body, async (header) => (await key.openStream(header, aad)).keys)
}

/** The verified data key of a message. The context is the caller's, never the envelope's (W6.6). */
export async function openKey(
  settings: CipherSettings,
  head: MessageHead,
  context: EncryptionContext | undefined,
  options: CallOptions,
): Promise<DataEncryptionKey> {
  const signal = signalOptions(options)
  return head.header === undefined
    ? settings.keys.byReference(head.commitment, context, signal)
    : settings.keys.open(head.header, context, signal)
}

/**
 * The maps of a call as they are now: the caller may change theirs while the KMS is asked. What is no
 * map stays what it is, to be refused where maps are checked.
 */
export function ownMaps({ context, aad }: Maps): Maps {
  return { context: ownMap(context), aad: ownMap(aad) } as Maps
}

type Maps = Pick<MessageOptions, 'context' | 'aad'>

function ownMap(map: EncryptionContext | undefined): EncryptionContext | undefined {
  return isPlain(map) ? { ...map } : map
}

/** Copies of the maps, checked now: a stream uses them after the caller may have changed theirs. */
export function snapshot(options: MessageOptions): Maps {
  demandKnown(options)
  streamContext(options.aad)
  canonicalContext(options.context)
  return ownMaps(options)
}

/** Only what a source may see of a call's options. */
export function signalOptions({ signal, defer }: CallOptions): CallOptions {
  return { signal, defer }
}

/**
 * Opens an inline record whose header was opened before, byte for byte: it passed parser and policy
 * then, so neither runs again. `undefined` where it is not one.
 */
export function decryptKnown(
  settings: CipherSettings,
  bytes: Bytes,
  kinds: readonly MessageKind[],
  { context, aad }: MessageOptions,
  defer: Defer,
  batch?: BatchSubkeys,
): Promise<Bytes> | undefined {
  if (!beginsAs('record', bytes) || !kinds.includes('record')) return undefined
  const key = settings.keys.recall(bytes, context, defer)
  if (key === undefined) return undefined
  const bodyAt = HEAD_AT + key.header.bytes.length
  checkRecord(settings, bytes.length - bodyAt)
  return key.decryptRecord(bytes, recordAad(aad), bodyAt, batch)
}
