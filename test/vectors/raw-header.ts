import { utf8 } from './hex.ts'

/** The fields of a wrap as bytes or text, valid or not. */
export interface RawWrap {
  readonly provider?: string | Uint8Array
  readonly kekId?: string | Uint8Array
  readonly kekVersion?: string | Uint8Array
  readonly wrapped?: Uint8Array
}

/** The fields of a key header, valid or not; what is left out gets a valid value. */
export interface RawHeader {
  readonly salt?: Uint8Array
  readonly commitment?: Uint8Array
  readonly createdAt?: bigint
  readonly flags?: number
  /** ctx(stored) as raw bytes; sets bit 0 unless `flags` says otherwise. */
  readonly stored?: Uint8Array
  readonly count?: number
  readonly wraps?: readonly RawWrap[]
}

/**
 * Writes a key header from the text of the wire format, on purpose without the code under test,
 * so that it can also write what that code refuses to write.
 */
export function rawHeader(header: RawHeader = {}): Uint8Array<ArrayBuffer> {
  const wraps = header.wraps ?? [{}]
  const stored = header.stored
  return joinBytes(
    header.salt ?? new Uint8Array(32).fill(0x11),
    header.commitment ?? new Uint8Array(32).fill(0x22),
    unsigned(header.createdAt ?? 1_767_225_600_000n, 8),
    unsigned(header.flags ?? (stored === undefined ? 0 : 1), 1),
    stored === undefined ? new Uint8Array() : prefixed(stored, 2),
    unsigned(header.count ?? wraps.length, 1),
    ...wraps.map((wrap) =>
      joinBytes(
        prefixed(wrap.provider ?? 'local', 1),
        prefixed(wrap.kekId ?? 'app', 2),
        prefixed(wrap.kekVersion ?? '1', 2),
        prefixed(wrap.wrapped ?? new Uint8Array(72), 2),
      ),
    ),
  )
}

/** Magic, version and kind, then the parts. */
export function rawMessage(kind: number, ...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return joinBytes(new Uint8Array([0x65, 0x6b, 0x01, kind]), ...parts)
}

/** Pairs of a map in the order given, sorted or not. */
export function rawMap(
  entries: readonly (readonly [string | Uint8Array, string | Uint8Array])[],
  count: number = entries.length,
): Uint8Array<ArrayBuffer> {
  return joinBytes(
    unsigned(count, 2),
    ...entries.flatMap(([key, value]) => [prefixed(key, 2), prefixed(value, 2)]),
  )
}

export function prefixed(value: string | Uint8Array, width: number): Uint8Array<ArrayBuffer> {
  const bytes = typeof value === 'string' ? utf8(value) : value
  return joinBytes(unsigned(bytes.length, width), bytes)
}

export function unsigned(value: number | bigint, width: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(width)
  let rest = BigInt(value)
  for (let i = width - 1; i >= 0; i--) {
    out[i] = Number(rest & 0xffn)
    rest >>= 8n
  }
  return out
}

export function joinBytes(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}
