import { type Bytes, concatBytes, encodeU64, encodeUtf8, isWellFormed } from '../bytes/index.ts'
import { KmsError } from '../errors.ts'
import {
  CONTEXT_LIMITS,
  type EncryptionContext,
  encodeContext,
  frozenMap,
  type WrappedKey,
} from '../kms/index.ts'
import { type ByteReader, malformed } from './byte-reader.ts'
import { LIMITS } from './limits.ts'
import { parseStoredContext, readText } from './stored-context.ts'

/** Bit 0 of `flags`: the header carries a stored context. All other bits are 0. */
const FLAG_STORED = 0x01

/** The fields that belong to the data key and never change. */
export interface DataKeyFields {
  readonly salt: Bytes
  readonly createdAtMs: number
  /** The context that the header carries in clear; empty if none is stored. */
  readonly stored: EncryptionContext
}

/** A key header: public data, section 3 of the wire format. */
export interface KeyHeader extends DataKeyFields {
  readonly flags: number
  readonly commitment: Bytes
  readonly wraps: readonly WrappedKey[]
  /** The whole header, exactly as in the message. */
  readonly bytes: Bytes
  /** Salt to the stored context: all but the wraps, which anybody may change. */
  readonly fixedBytes: Bytes
}

/** flags and ctx(stored) as the derivation needs them. */
export function storedPart(stored: EncryptionContext): { flags: number; bytes: Bytes } {
  const bytes = encodeContext(stored, CONTEXT_LIMITS.maxContextBytes)
  return { flags: bytes.length > 2 ? FLAG_STORED : 0, bytes } // W2.3
}

/** Writes a header. Wraps keep the order they are given in (W3.17). */
export function encodeKeyHeader(
  fields: DataKeyFields & { readonly commitment: Bytes },
  wraps: readonly WrappedKey[],
): KeyHeader {
  const stored = storedPart(fields.stored)
  const fixed = concatBytes(
    fields.salt,
    fields.commitment,
    encodeU64(fields.createdAtMs),
    new Uint8Array([stored.flags]),
    stored.flags === 0 ? new Uint8Array() : lp16(stored.bytes),
  )
  checkWraps(wraps)
  const bytes = concatBytes(
    fixed, // W3.1
    new Uint8Array([wraps.length]),
    ...wraps.map(encodeWrap),
  )
  if (bytes.length > LIMITS.headerBytes) throw tooLarge()
  return {
    salt: fields.salt,
    createdAtMs: fields.createdAtMs,
    stored: fields.stored,
    commitment: fields.commitment,
    flags: stored.flags,
    wraps,
    bytes,
    fixedBytes: bytes.subarray(0, fixed.length),
  }
}

/** Reads a header at the reader's place. Every limit is checked before the bytes are taken. */
export function readKeyHeader(reader: ByteReader, maxWraps: number): KeyHeader {
  const start = reader.at
  const salt = reader.take(LIMITS.saltBytes)
  const commitment = reader.take(LIMITS.commitmentBytes)
  const createdAtMs = reader.u64()
  const flags = reader.u8()
  if ((flags & ~FLAG_STORED) !== 0) throw malformed('unknown flags') // W3.12
  let stored: EncryptionContext = frozenMap([])
  if (flags === FLAG_STORED) {
    const length = checkLength(reader.u16(), 0, CONTEXT_LIMITS.maxContextBytes)
    stored = parseStoredContext(reader.take(length))
  }
  const fixedLength = reader.at - start
  const count = reader.u8()
  const message = `more than ${String(maxWraps)} wraps`
  if (count > maxWraps) throw new KmsError('ERR_WIRE_LIMIT_EXCEEDED', { message }) // W3.9
  const wraps: WrappedKey[] = []
  for (let i = 0; i < count; i++) {
    wraps.push(readWrap(reader))
    if (reader.at - start > LIMITS.headerBytes) throw tooLarge() // W3.3
  }
  checkWraps(wraps)
  const bytes = reader.since(start)
  return {
    salt,
    commitment,
    createdAtMs,
    flags,
    stored,
    wraps,
    bytes,
    fixedBytes: bytes.subarray(0, fixedLength),
  }
}

function readWrap(reader: ByteReader): WrappedKey {
  const provider = readText(reader.take(checkLength(reader.u8(), 1, LIMITS.providerBytes))) // W3.4
  const kekId = readText(reader.take(checkLength(reader.u16(), 1, LIMITS.kekIdBytes))) // W3.5
  const kekVersion = readText(reader.take(checkLength(reader.u16(), 0, LIMITS.kekVersionBytes))) // W3.6
  const wrapped = reader.take(checkLength(reader.u16(), 1, LIMITS.wrappedBytes)) // W3.7
  return { provider, kekId, kekVersion, wrapped }
}

/** A writer refuses what a reader would refuse. */
function encodeWrap({ provider, kekId, kekVersion, wrapped }: WrappedKey): Bytes {
  if (!isWellFormed(kekId) || !isWellFormed(kekVersion)) throw malformed('text is not UTF-8')
  const [id, version] = [encodeUtf8(kekId), encodeUtf8(kekVersion)]
  checkLength(id.length, 1, LIMITS.kekIdBytes)
  checkLength(version.length, 0, LIMITS.kekVersionBytes)
  // W3.2
  return concatBytes(
    new Uint8Array([provider.length]),
    encodeUtf8(provider),
    lp16(id),
    lp16(version),
    lp16(wrapped),
  )
}

/** Refuses what a writer must not write and a reader must not accept. */
function checkWraps(wraps: readonly WrappedKey[]): void {
  checkLength(wraps.length, 1, LIMITS.maxWraps) // W3.8
  const seen = new Set<string>()
  for (const wrap of wraps) {
    if (!/^[a-z0-9-]{1,32}$/.test(wrap.provider)) throw malformed('bad provider name') // W3.4
    checkLength(wrap.wrapped.length, 1, LIMITS.wrappedBytes)
    const id = `${wrap.provider} ${wrap.kekId}`
    if (seen.has(id)) throw malformed('two wraps under one key') // W3.11
    seen.add(id)
  }
}

function checkLength(length: number, least: number, most: number): number {
  if (length < least || length > most) throw malformed('a length is out of range')
  return length
}

/** Of bytes whose length was checked: every field is shorter than 65,536. */
function lp16(bytes: Uint8Array): Bytes {
  return concatBytes(new Uint8Array([bytes.length >>> 8, bytes.length & 0xff]), bytes)
}

function tooLarge(): KmsError {
  return new KmsError('ERR_WIRE_LIMIT_EXCEEDED') // more than 64 KiB
}
