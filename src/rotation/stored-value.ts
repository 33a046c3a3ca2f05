import {
  type Bytes,
  concatBytes,
  copyBytes,
  decodeUtf8,
  encodeUtf8,
  toBytes,
} from '../bytes/index.ts'
import { KmsError } from '../errors.ts'
import {
  ALL_KINDS,
  checkBodyLength,
  decodeTextForm,
  encodeHead,
  encodeTextForm,
  HEAD_AT,
  LIMITS,
  type MessageHead,
  parseHead,
  WIRE_VERSION,
} from '../wire/index.ts'
import type { StoredValue } from './record-source.ts'

/** Rotation reads every header that the format allows: what it writes has as many wraps as there are KEKs. */
const POLICY = {
  acceptVersions: [WIRE_VERSION],
  acceptKinds: ALL_KINDS,
  maxWraps: LIMITS.maxWraps,
} as const

/** `e`, `k` and a version: no text continues with one of these control characters. */
const LAST_VERSION = 0x08
const TEXT_PREFIX = 'ek1.'
const TEXT_PREFIX_BYTES = [0x65, 0x6b, 0x31, 0x2e]

/** How a message is written: as bytes, as text, or as the bytes of its text. */
type Form = 'bytes' | 'text' | 'text-bytes'

/** A stored value that is a message. */
export interface StoredMessage {
  readonly form: Form
  readonly head: MessageHead
  /** The bytes behind the head; of an object only the first of them. */
  readonly body: Bytes
}

/**
 * Returns the message that a value holds; `undefined` for a value that is not an envelope.
 *
 * @param isPrefix - the value is the beginning of a longer one
 * @throws KmsError `ERR_WIRE_*` for a value that begins as an envelope and is none
 */
export function readStored(value: StoredValue, isPrefix = false): StoredMessage | undefined {
  const form = formOf(value)
  if (form === undefined) return undefined
  const bytes = bytesOf(value, form)
  const head = parseHead(bytes, POLICY)
  if ('need' in head)
    throw new KmsError('ERR_WIRE_MALFORMED', { message: 'the message is cut short' })
  const body = bytes.subarray(head.bodyAt)
  if (!isPrefix) checkBodyLength(head.kind, body.length)
  return { form, head, body }
}

/** Returns the value with another key header before its body, in the form that it had. */
export function withHeader({ form, head, body }: StoredMessage, header: Bytes): StoredValue {
  return inForm(form, concatBytes(encodeHead(head.kind, header), body))
}

/** Returns a message in the form of a value that it replaces. */
export function inForm(form: StoredMessage['form'], message: Bytes): StoredValue {
  if (form === 'bytes') return message
  const text = encodeTextForm(message)
  return form === 'text' ? text : encodeUtf8(text)
}

/** Returns the bytes of the message that a value holds. */
export function messageBytes(value: StoredValue, form: StoredMessage['form']): Bytes {
  return bytesOf(value, form)
}

/** Returns the data-key record of a header: what {@link headerOf} turns back. */
export function recordOf(header: Bytes): Bytes {
  return encodeHead('data-key-record', header)
}

/** Returns the key header of a data-key record. */
export function headerOf(record: Bytes): Bytes {
  return record.subarray(HEAD_AT)
}

/** Whether there is nothing to encrypt or decrypt. */
export function isEmptyValue(value: StoredValue | null | undefined): value is null | undefined {
  return value === null || value === undefined || value.length === 0
}

/** Returns an own copy of the bytes of a value, for hashes. */
export function rawBytes(value: StoredValue): Bytes {
  return typeof value === 'string' ? encodeUtf8(value) : copyBytes(value)
}

function formOf(value: StoredValue): Form | undefined {
  if (typeof value === 'string') return value.startsWith(TEXT_PREFIX) ? 'text' : undefined
  const [first, second, third = Infinity] = toBytes(value, 'a stored value')
  if (first === 0x65 && second === 0x6b && third <= LAST_VERSION) return 'bytes'
  return TEXT_PREFIX_BYTES.every((byte, i) => value[i] === byte) ? 'text-bytes' : undefined
}

function bytesOf(value: StoredValue, form: Form): Bytes {
  if (form === 'bytes') return toBytes(value as Uint8Array, 'a stored value')
  const text = typeof value === 'string' ? value : decodeUtf8(toBytes(value, 'a stored value'))
  if (text === undefined) throw new KmsError('ERR_WIRE_MALFORMED')
  return decodeTextForm(text)
}
