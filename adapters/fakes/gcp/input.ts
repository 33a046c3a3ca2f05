import {
  type Bytes,
  crc32c,
  decodeBase64,
  decodeBase64Url,
  decodeUtf8,
} from '../../../src/bytes/index.ts'
import { Refusal } from './errors.ts'

const EMPTY = ['', '""']

/**
 * The JSON input of a method, read as proto3's JSON: names in camelCase or snake_case, bytes in
 * either base64, int64 as a number or a text. Unknown members are refused, as Google does.
 */
export class Input {
  readonly #members: ReadonlyMap<string, unknown>
  readonly #read = new Set<string>()

  /** @throws Refusal `invalid` */
  constructor(body: Bytes) {
    const text = decodeUtf8(body)
    let value: unknown
    try {
      // Google's own client sends an empty text where a message has no members.
      value = text === undefined ? undefined : JSON.parse(EMPTY.includes(text) ? '{}' : text)
    } catch {
      value = undefined
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw invalid('Invalid JSON payload received.')
    this.#members = new Map(Object.entries(value).map(([name, one]) => [camel(name), one]))
  }

  /** A member as it is; `undefined` where it is absent or null. */
  any(name: string): unknown {
    this.#read.add(name)
    return this.#members.get(name) ?? undefined
  }

  text(name: string): string {
    const value = this.any(name)
    if (typeof value === 'string' && value !== '') return value
    throw invalid(`Invalid value at '${name}'.`)
  }

  /** Bytes, empty where they are absent. */
  bytes(name: string): Bytes {
    const value = this.any(name) ?? ''
    const bytes =
      typeof value === 'string' ? (decodeBase64(value) ?? decodeBase64Url(value)) : undefined
    if (bytes !== undefined) return bytes
    throw invalid(`Invalid value at '${name}' (TYPE_BYTES), Base64 decoding failed.`)
  }

  integer(name: string): number | undefined {
    const value = this.any(name)
    if (value === undefined) return undefined
    const text = typeof value === 'number' ? String(value) : value
    if (typeof text === 'string' && /^-?\d{1,18}$/.test(text)) return Number(text)
    throw invalid(`Invalid value at '${name}' (TYPE_INT64).`)
  }

  flag(name: string): boolean {
    const value = this.any(name) ?? false
    if (typeof value === 'boolean') return value
    throw invalid(`Invalid value at '${name}' (TYPE_BOOL).`)
  }

  /** Bytes with the checksum that may come along: whether there was one, and it was right. */
  checked(
    name: string,
    ignoresChecksums: boolean,
  ): { readonly bytes: Bytes; readonly verified: boolean } {
    const bytes = this.bytes(name)
    const sum = this.integer(`${name}Crc32c`)
    if (sum === undefined) return { bytes, verified: false }
    if (sum === crc32c(bytes) || ignoresChecksums) return { bytes, verified: true }
    const field = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    throw new Refusal(
      'badChecksum',
      `The checksum in field ${field}_crc32c did not match the data in field ${field}.`,
    )
  }

  /** @throws Refusal `invalid` for members that nobody has read */
  end(): void {
    for (const name of this.#members.keys())
      if (!this.#read.has(name))
        throw invalid(`Invalid JSON payload received. Unknown name "${name.slice(0, 64)}".`)
  }
}

function camel(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

function invalid(message: string): Refusal {
  return new Refusal('invalid', message)
}
