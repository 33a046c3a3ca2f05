import { Console } from 'node:console'
import { PassThrough } from 'node:stream'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { type Bytes, SecretBytes } from '../../../src/index.ts'

const CANARY = 'CANARY-of-32-bytes-of-key-bytes!'
const canary = (): Bytes => new TextEncoder().encode(CANARY)

/** Forms in which the bytes could be seen. */
const FORMS = [
  CANARY,
  Buffer.from(CANARY).toString('hex'),
  Buffer.from(CANARY).toString('base64'),
  '67,65,78',
  '67, 65, 78',
  '43 41 4e',
  '"0":67',
]

function consoleText(value: unknown): string {
  const stream = new PassThrough()
  const log = new Console(stream, stream)
  log.log(value)
  log.log('%s %o %O %j', value, value, value, value)
  log.dir(value, { depth: 9, showHidden: true })
  log.table([value])
  return String(stream.read())
}

describe('secret bytes', () => {
  it.each<[string, (secret: SecretBytes) => string]>([
    ['a template', (secret) => `${String(secret)} ${secret.toString()}`],
    ['concatenation', (secret) => 'x' + (secret as unknown as string)],
    ['JSON', (secret) => JSON.stringify({ secret, list: [secret] })],
    ['inspect', (secret) => inspect(secret, { depth: 9, showHidden: true, getters: true })],
    ['inspect of an owner', (secret) => inspect({ owner: { secret } }, { depth: 9 })],
    ['the console', consoleText],
    ['its properties', (secret) => JSON.stringify([Object.entries(secret), { ...secret }])],
    ['an error', (secret) => inspect(new Error('x', { cause: secret }), { depth: 9 })],
  ])('do not show in %s (R12)', (_, print) => {
    const text = print(SecretBytes.take(canary()))
    expect(text).not.toBe('')
    expect(FORMS.filter((form) => text.includes(form))).toEqual([])
  })

  it('say what they are', () => {
    const secret = SecretBytes.take(canary())
    expect(String(secret)).toBe('[secret]')
    expect(JSON.stringify(secret)).toBe('"[secret]"')
  })

  it('do not pass through a structured clone', () => {
    const clone = structuredClone(SecretBytes.take(canary()))
    expect(Object.keys(clone)).toEqual([])
  })

  it('are the very array that was taken, and wiped with it', () => {
    const bytes = canary()
    const secret = SecretBytes.take(bytes)
    expect(secret.length).toBe(32)
    expect(secret.expose()).toBe(bytes)
    secret.dispose()
    expect(bytes).toEqual(new Uint8Array(32))
  })

  it('are another array where they were copied', () => {
    const bytes = canary()
    const secret = SecretBytes.copy(bytes)
    const inside = secret.expose()
    expect(inside).not.toBe(bytes)
    secret.dispose()
    expect(inside).toEqual(new Uint8Array(32))
    expect(bytes).toEqual(canary())
  })

  it('throw on any use after dispose, which may be called twice', () => {
    const secret = SecretBytes.take(canary())
    secret.dispose()
    secret.dispose()
    expect(() => secret.expose()).toThrow(TypeError)
    expect(() => secret.length).toThrow(TypeError)
    expect(String(secret)).toBe('[secret]')
  })

  it('are wiped at the end of a using block', () => {
    const secret = SecretBytes.take(canary())
    const bytes = secret.expose()
    secret[Symbol.dispose]()
    expect(bytes).toEqual(new Uint8Array(32))
    expect(() => secret.expose()).toThrow(TypeError)
  })
})
