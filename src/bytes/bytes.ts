import { describe } from '../checks/index.ts'

/** Bytes over a buffer of their own kind: never shared memory, so WebCrypto takes them without a cast. */
export type Bytes = Uint8Array<ArrayBuffer>

/**
 * Returns a `Uint8Array` as {@link Bytes}. Shared and resizable memory is copied: another thread could
 * change it between two reads, and WebCrypto refuses it.
 *
 * @param name - the argument, for the error
 * @throws TypeError if the value is not a `Uint8Array`, or its buffer was transferred away: it would read
 * as empty
 */
export function toBytes(value: Uint8Array, name: string): Bytes {
  if (!(value instanceof Uint8Array)) {
    throw new TypeError(`${name} must be a Uint8Array, got ${describe(value)}`)
  }
  if (value.length === 0) demandReadable(value, name)
  const { buffer } = value
  const isPlain = buffer instanceof ArrayBuffer && !(buffer as Resizable).resizable
  return isPlain ? (value as Bytes) : new Uint8Array(value)
}

/** ES2024, which the types of this project do not have yet. */
type Resizable = ArrayBuffer & { readonly resizable?: boolean }

/** A view of a buffer that was transferred or has shrunk has length 0; any method of it throws. */
function demandReadable(value: Uint8Array, name: string): void {
  try {
    value.keys()
  } catch {
    throw new TypeError(
      `${name} has lost its buffer, which was transferred or has shrunk: pass a copy`,
    )
  }
}

/** A copy with a buffer of its own: a view would carry its whole buffer across a structured clone. */
export function copyBytes(value: Uint8Array): Bytes {
  return new Uint8Array(value)
}

/** Joins parts into one new array. */
export function concatBytes(...parts: readonly Uint8Array[]): Bytes {
  let length = 0
  for (const part of parts) length += part.length
  const out = new Uint8Array(length)
  let offset = 0
  for (const part of parts) {
    out.set(part, offset)
    offset += part.length
  }
  return out
}

/** A big-endian u64 of a safe integer. */
export function encodeU64(value: number): Bytes {
  const out = new Uint8Array(8)
  new DataView(out.buffer).setBigUint64(0, BigInt(value))
  return out
}

/** Compares in time that depends on the lengths only. Use it for anything derived from a key. */
export function equalBytesConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] as number)
  return difference === 0
}

/** Compares public bytes and stops at the first difference. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && standsAt(a, 0, b)
}

/**
 * Whether public bytes stand at this place.
 *
 * @param words - what is expected as numbers of four bytes each, without the rest: compared first where the
 * place lies so, because a long header costs a third then
 */
export function standsAt(
  bytes: Uint8Array,
  at: number,
  expected: Uint8Array,
  words?: Uint32Array,
): boolean {
  if (bytes.length - at < expected.length) return false
  let i = 0
  const start = bytes.byteOffset + at
  if (words && start % 4 === 0) {
    const found = new Uint32Array(bytes.buffer, start, words.length)
    for (; i < words.length; i++) if (found[i] !== words[i]) return false
    i *= 4
  }
  for (; i < expected.length; i++) if (bytes[at + i] !== expected[i]) return false
  return true
}

/**
 * A string that is equal for equal bytes of one length only: a cheap key for a map in memory. Two
 * bytes for each character, because a string of half the length is made in half the time.
 */
export function binaryString(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  let text = ''
  const whole = end - ((end - start) & 1)
  for (let i = start; i < whole; i += 2) {
    text += String.fromCharCode(((bytes[i] as number) << 8) | (bytes[i + 1] as number))
  }
  return whole === end ? text : text + String.fromCharCode(bytes[whole] as number)
}
