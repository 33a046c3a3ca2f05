import { type Bytes, concatBytes, encodeBase64Url } from '../bytes/index.ts'
import { KmsError } from '../errors.ts'
import { ByteReader, malformed, NeedMoreBytes } from './byte-reader.ts'
import { type KeyHeader, readKeyHeader } from './key-header.ts'
import { LIMITS } from './limits.ts'

/** Magic, version and kind. */
const PREAMBLE_BYTES = 4
const MAGIC_0 = 0x65
const MAGIC_1 = 0x6b
/** The only version so far. */
export const WIRE_VERSION = 0x01

/** The kind of a message. */
export type MessageKind =
  'record' | 'stream' | 'record-by-reference' | 'stream-by-reference' | 'data-key-record'

const KIND_BYTES: Readonly<Record<MessageKind, number>> = {
  record: 0x01,
  stream: 0x02,
  'record-by-reference': 0x11,
  'stream-by-reference': 0x12,
  'data-key-record': 0x20,
}

/** Every kind, for a look without policy. */
export const ALL_KINDS: readonly MessageKind[] = Object.keys(KIND_BYTES) as MessageKind[]

/** The policy of a reader, never taken from the data. */
export interface ReadPolicy {
  readonly acceptVersions: readonly number[]
  readonly acceptKinds: readonly MessageKind[]
  /** The most wraps in one header, 1 to 16. */
  readonly maxWraps: number
}

/** Everything before the body. */
export interface MessageHead {
  readonly version: number
  readonly kind: MessageKind
  readonly commitment: Bytes
  /** Absent in a message by reference: its header is in the data-key store. */
  readonly header?: KeyHeader
  /** The offset of the body. */
  readonly bodyAt: number
}

/**
 * Reads the head of a message from its first bytes, or returns how many bytes it needs to continue. It is pure, and
 * never asks for more than 64 KiB and one wrap.
 *
 * @throws KmsError `ERR_WIRE_MALFORMED`, `ERR_WIRE_VERSION_REFUSED`, `ERR_WIRE_KIND_REFUSED`, `ERR_WIRE_LIMIT_EXCEEDED`
 */
export function parseHead(
  bytes: Bytes,
  policy: ReadPolicy,
): MessageHead | { readonly need: number } {
  try {
    const reader = new ByteReader(bytes, 0)
    if (reader.u8() !== MAGIC_0 || reader.u8() !== MAGIC_1) throw malformed('wrong magic') // W4.1
    const version = reader.u8()
    if (version !== WIRE_VERSION || !policy.acceptVersions.includes(version)) {
      throw new KmsError('ERR_WIRE_VERSION_REFUSED') // W4.2
    }
    const kindByte = reader.u8()
    const kind = ALL_KINDS.find((name) => KIND_BYTES[name] === kindByte)
    if (kind === undefined) throw new KmsError('ERR_WIRE_KIND_REFUSED', { message: 'unknown kind' }) // W4.3
    if (!policy.acceptKinds.includes(kind)) {
      throw new KmsError('ERR_WIRE_KIND_REFUSED', { message: `a ${kind} is not accepted here` }) // W4.4
    }
    if (kind.endsWith('by-reference')) {
      const commitment = reader.take(LIMITS.commitmentBytes)
      return { version, kind, commitment, bodyAt: reader.at }
    }
    const header = readKeyHeader(reader, policy.maxWraps)
    return { version, kind, commitment: header.commitment, header, bodyAt: reader.at }
  } catch (error) {
    if (error instanceof NeedMoreBytes) return { need: error.need }
    throw error
  }
}

/** A whole message in memory: its head, with the length of the body checked. */
export function parseMessage(bytes: Bytes, policy: ReadPolicy): MessageHead {
  const head = parseHead(bytes, policy)
  if ('need' in head) throw malformed('cut short')
  checkBodyLength(head.kind, bytes.length - head.bodyAt)
  return head
}

/** W4.8, W4.28: a body has the length that its kind allows. */
export function checkBodyLength(kind: MessageKind, length: number): void {
  // A stream that was cut has the code of a wrong tag (W4.16), so the parser leaves it alone.
  const least = kind.startsWith('record') ? LIMITS.nonceBytes + LIMITS.tagBytes : 0
  if (length < least || (kind === 'data-key-record' && length > 0))
    throw malformed('the body has a wrong length')
}

/** The bytes of a message before its body. */
export function encodeHead(kind: MessageKind, keyPart: Uint8Array): Bytes {
  return concatBytes(new Uint8Array([MAGIC_0, MAGIC_1, WIRE_VERSION, KIND_BYTES[kind]]), keyPart)
}

/** The by-reference twin of an inline kind. */
export function referenceKindOf(kind: 'record' | 'stream'): MessageKind {
  return kind === 'record' ? 'record-by-reference' : 'stream-by-reference'
}

/** Whether a message begins as one of this kind does: a look before a parse, never instead of it. */
export function beginsAs(kind: MessageKind, bytes: Bytes): boolean {
  return (
    bytes[0] === MAGIC_0 &&
    bytes[1] === MAGIC_1 &&
    bytes[2] === WIRE_VERSION &&
    bytes[3] === KIND_BYTES[kind]
  )
}

/** The offset of a message's key part. */
export const HEAD_AT: number = PREAMBLE_BYTES

/** The offset of an inline message's commitment, so that a cache can look before it parses. */
export const COMMITMENT_AT: number = PREAMBLE_BYTES + LIMITS.saltBytes

/** W4.27: the name of a data-key record in a store, 47 ASCII characters. */
export function dataKeyStoreKey(commitment: Uint8Array): string {
  return `ek1/${encodeBase64Url(commitment)}`
}
