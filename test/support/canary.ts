// R12 over the whole suite: every key that any test imports or holds, every plaintext and every aad value is
// a canary, and none may be found in what any test prints, in any KmsError that is made, or in any data-key
// record that is stored.
import { inspect } from 'node:util'
import { afterAll, beforeAll, expect } from 'vitest'
import { EnvelopeCipher, KmsError, SecretBytes } from '../../src/index.ts'
import { MemoryDataKeyStore, MemoryKeyValueStore } from '../../src/stores/index.ts'
import { toHex } from '../vectors/hex.ts'

/** Shorter or simpler ones are found by chance: `42`, a key of zeros. */
const MIN_BYTES = 8
const MIN_DISTINCT = 6

const secrets = new Map<string, string>()
const errors: Error[] = []
const texts: string[] = []

/** Remembers a secret in every form in which a program might print it. */
function remember(what: string, value: unknown): void {
  const bytes = bytesOf(value)
  if (bytes === undefined || bytes.length < MIN_BYTES) return
  const head = bytes.slice(0, 64)
  // Neither simple ones, nor the counting bytes that tests take for salts and texts too.
  if (new Set(head).size < MIN_DISTINCT || counts(head)) return
  const forms = [
    toHex(head),
    btoa(String.fromCharCode(...head.slice(0, 63 - (63 % 3)))),
    head.join(),
  ]
  // Printable secrets, such as the secret access key behind AWS4 in a signing key.
  if (head.every((byte) => byte > 0x20 && byte < 0x7f)) {
    forms.push(String.fromCharCode(...head).replace(/^AWS4/, ''))
  }
  for (const form of forms) secrets.set(form.replace(/=+$/, ''), what)
}

function counts(bytes: Uint8Array): boolean {
  const step = (bytes[1] as number) - (bytes[0] as number)
  return bytes.every((byte, i) => i === 0 || byte - (bytes[i - 1] as number) === step)
}

function bytesOf(value: unknown): Uint8Array | undefined {
  if (typeof value === 'string') return new TextEncoder().encode(value)
  if (value instanceof ArrayBuffer) return new Uint8Array(value)
  if (!ArrayBuffer.isView(value)) return undefined
  if (value.byteLength === 0) return undefined // also a view that lost its buffer
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
}

// The parent of KmsError is looked up at each `super`: every one that is made is seen.
class SeenError extends Error {
  constructor(message?: string, options?: ErrorOptions) {
    super(message, options)
    errors.push(this)
  }
}
Object.setPrototypeOf(KmsError, SeenError)

/** Runs `see` with the arguments of every call of a method, before the method. */
function watch<T extends object>(owner: T, name: keyof T, see: (...args: unknown[]) => void): void {
  const real = owner[name] as (...args: unknown[]) => unknown
  const watched = function (this: unknown, ...args: unknown[]): unknown {
    see(...args)
    return real.apply(this, args)
  }
  Object.defineProperty(owner, name, { value: watched, configurable: true, writable: true })
}

function rememberCall(plaintext: unknown, options: unknown): void {
  remember('a plaintext', plaintext)
  const { aad } = Object(options) as { readonly aad?: unknown }
  for (const value of Object.values(Object(aad) as object)) remember('an aad value', value)
}

beforeAll(() => {
  watch(crypto.subtle, 'importKey', (_, key) => {
    remember('a key', key)
  })
  for (const name of ['take', 'copy'] as const) {
    watch(SecretBytes, name, (bytes) => {
      remember('a DEK', bytes)
    })
  }
  watch(EnvelopeCipher.prototype, 'encrypt', rememberCall)
  watch(EnvelopeCipher.prototype, 'encryptText', rememberCall)
  for (const name of ['putIfAbsent', 'compareAndSwap'] as const) {
    watch(MemoryDataKeyStore.prototype, name, (...args) => {
      for (const record of args) if (record instanceof Uint8Array) texts.push(toHex(record))
    })
  }
  // The shared level of the cache: what is in it, and under which names.
  for (const name of ['put', 'compareAndSwap'] as const) {
    watch(MemoryKeyValueStore.prototype, name, (...args) => {
      for (const value of args) {
        if (value instanceof Uint8Array) texts.push(toHex(value))
        else if (typeof value === 'string') texts.push(value)
      }
    })
  }
  for (const name of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    watch(console, name, (...args) => {
      texts.push(args.map((one) => (typeof one === 'string' ? one : inspect(one))).join(' '))
    })
  }
})

afterAll(() => {
  for (const error of errors) texts.push(inspect(error, { depth: 6 }), JSON.stringify(error))
  const found = [...secrets].flatMap(([form, what]) => {
    const text = texts.find((one) => one.includes(form))
    return text === undefined ? [] : [`${what} (${form}) in: ${text.slice(0, 300)}`]
  })
  expect(found, 'R12 a secret was printed, thrown or stored').toEqual([])
})
