import { readFileSync } from 'node:fs'
import { inflateSync } from 'node:zlib'
import type { MessageKind } from '../../src/index.ts'
import { fromHex } from '../vectors/hex.ts'

type Bytes = Uint8Array<ArrayBuffer>

export type Expectation =
  | 'success'
  | 'malformed'
  | 'refused'
  | 'unknown-key'
  | 'unknown-reference'
  | 'no-version'
  | 'decrypt-failure'

/** A part of the plaintext that is read, and what is known of the rest afterwards. */
export interface KitRange {
  readonly start: number
  readonly end?: number
  readonly size?: number
}

/** One file of the kit. */
export interface KitCase {
  readonly expect: Expectation
  readonly context: Readonly<Record<string, string>>
  readonly aad: Readonly<Record<string, string>>
  readonly keks: readonly {
    readonly kekId: string
    readonly version: number
    readonly key: Bytes
  }[]
  readonly store: readonly { readonly commitment: Bytes; readonly record: Bytes }[]
  readonly accept: readonly MessageKind[]
  readonly maxWraps: number
  /** No KEK may be used to find the error. */
  readonly noKek: boolean
  readonly range: KitRange | undefined
  readonly lengthVerified: boolean | undefined
  readonly plaintext: { readonly length: number; readonly sha256: string }
  /** Bytes, or the text form. Empty where the message is sparse. */
  readonly message: Bytes | string
  /** Reads a part of the message. */
  readonly read: (start: number, end: number) => Bytes
}

const MESSAGES: readonly MessageKind[] = [
  'record',
  'stream',
  'record-by-reference',
  'stream-by-reference',
]

/** Reads a file as the README describes it. */
export function readCase(path: string): KitCase {
  const file = readFileSync(path, 'utf8')
  const end = file.indexOf('\n\n')
  const fields = file.slice(0, end).split('\n').map(splitField)
  const all = (name: string): string[] =>
    fields.filter((field) => field.name === name).map(({ value }) => value)
  const one = (name: string): string => {
    const values = all(name)
    if (values.length !== 1) throw new Error(`${path}: ${String(values.length)} fields ${name}`)
    return values[0]!
  }
  const [length, sha256] = one('plaintext').split(' ')
  const body = file.slice(end + 2)
  const encoding = one('encoding')
  const sparse = encoding === 'sparse'
  const message = sparse ? new Uint8Array(0) : decode(encoding, body)
  const verified = all('length-verified')[0]
  const mustAvoidKeks = ['malformed', 'refused', 'unknown-key'].includes(one('expect'))
  return {
    expect: one('expect') as Expectation,
    context: JSON.parse(one('context')) as Record<string, string>,
    aad: JSON.parse(one('aad')) as Record<string, string>,
    keks: all('kek').map((value) => {
      const [kekId, version, key] = value.split(' ')
      return { kekId: JSON.parse(kekId!) as string, version: Number(version), key: fromHex(key!) }
    }),
    store: all('store').map((value) => {
      const [commitment, record] = value.split(' ')
      return { commitment: fromHex(commitment!), record: fromHex(record!) }
    }),
    accept: (all('accept')[0]?.split(' ') as MessageKind[] | undefined) ?? MESSAGES,
    maxWraps: Number(all('max-wraps')[0] ?? 5),
    noKek: all('kek-use')[0] === 'none' || mustAvoidKeks,
    range: rangeOf(all('range')[0]),
    lengthVerified: verified === undefined ? undefined : verified === 'true',
    plaintext: { length: Number(length), sha256: sha256! },
    message,
    read: sparse
      ? sparseReader(body, Number(one('length')))
      : (from, to) => (message as Bytes).slice(from, to),
  }
}

function splitField(line: string): { readonly name: string; readonly value: string } {
  const at = line.indexOf(': ')
  return { name: line.slice(0, at), value: line.slice(at + 2) }
}

function rangeOf(value: string | undefined): KitRange | undefined {
  if (value === undefined) return undefined
  const [start, end, size] = value.split(' ').map((text) => (text === '-' ? undefined : +text))
  return { start: start!, ...(end !== undefined && { end }), ...(size !== undefined && { size }) }
}

/** A message of which only some pieces are written down; the rest is zero. */
function sparseReader(body: string, length: number): KitCase['read'] {
  const pieces = body
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' '))
    .map(([at, hex]) => ({ at: Number(at), bytes: fromHex(hex!) }))
  return (start, end) => {
    const out = new Uint8Array(Math.max(0, Math.min(end, length) - start))
    for (const { at, bytes } of pieces) {
      const from = Math.max(start, at)
      const to = Math.min(start + out.length, at + bytes.length)
      if (from < to) out.set(bytes.subarray(from - at, to - at), from - start)
    }
    return out
  }
}

function decode(encoding: string, body: string): Bytes | string {
  if (encoding === 'text') return JSON.parse(body) as string
  const bytes = fromHex(body.replaceAll('\n', ''))
  if (encoding === 'hex') return bytes
  if (encoding === 'zlib') return new Uint8Array(inflateSync(bytes))
  throw new Error(`unknown encoding ${encoding}`)
}
