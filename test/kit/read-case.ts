import { readFileSync } from 'node:fs'
import { inflateSync } from 'node:zlib'
import type { MessageKind } from '../../src/index.ts'
import { fromHex } from '../vectors/hex.ts'

type Bytes = Uint8Array<ArrayBuffer>

export type Expectation =
  'success' | 'malformed' | 'refused' | 'unknown-key' | 'unknown-reference' | 'decrypt-failure'

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
  readonly plaintext: { readonly length: number; readonly sha256: string }
  /** Bytes, or the text form. */
  readonly message: Bytes | string
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
    plaintext: { length: Number(length), sha256: sha256! },
    message: decode(one('encoding'), file.slice(end + 2)),
  }
}

function splitField(line: string): { readonly name: string; readonly value: string } {
  const at = line.indexOf(': ')
  return { name: line.slice(0, at), value: line.slice(at + 2) }
}

function decode(encoding: string, body: string): Bytes | string {
  if (encoding === 'text') return JSON.parse(body) as string
  const bytes = fromHex(body.replaceAll('\n', ''))
  if (encoding === 'hex') return bytes
  if (encoding === 'zlib') return new Uint8Array(inflateSync(bytes))
  throw new Error(`unknown encoding ${encoding}`)
}
