import type { Miniflare } from 'miniflare'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { caller, cipherMiniflare, KEY_V1 } from './cipher-miniflare.ts'

// R39: two Workers and a Durable Object in workerd. The app binds the service with other props each time.

const METHODS = {
  encrypt: 'encrypt',
  decrypt: 'decrypt',
  encryptText: 'encrypt',
  decryptText: 'decrypt',
  encryptMany: 'encrypt',
  decryptMany: 'decrypt',
  encryptStream: 'encrypt',
  decryptStream: 'decrypt',
  rewrap: 'rewrap',
  rewrapStream: 'rewrap',
  inspect: 'inspect',
} as const

let worker: Miniflare
const run = <T = unknown>(name: string, parameters: Record<string, string> = {}): Promise<T> =>
  caller(worker)<T>(name, parameters)
const notes = (): Promise<{ created: number; kms: string[]; streams: string[] }> => run('notes')

const denied = (message: string, operation = 'encrypt'): object => ({
  name: 'KmsError',
  code: 'ERR_KMS_ACCESS_DENIED',
  message,
  retryable: false,
  provider: 'policy',
  operation,
})
const each = (answer: (operation: string) => unknown): object =>
  Object.fromEntries(Object.entries(METHODS).map(([name, operation]) => [name, answer(operation)]))

beforeAll(async () => {
  worker = await cipherMiniflare('./cipher-app.worker.ts')
})
afterAll(() => worker.dispose())
beforeEach(() => run('notes')) // forgets

describe('R39 refusals by the props of a binding', () => {
  it.each(['NO_PROPS', 'OTHER_PROPS'])(
    'refuses every method without a policy: %s',
    async (binding) => {
      await run('methods') // the messages that the calls are about
      await notes()
      const refused = (operation: string): object =>
        denied('the binding has no policy, so nothing is allowed', operation)
      expect(await run('methods', { binding })).toEqual(each(refused))
    },
  )

  it('refuses every method under a policy that is malformed', async () => {
    const error = {
      name: 'KmsError',
      code: 'ERR_KMS_CONFIG',
      message:
        'policy.context.tenant.prefix must end in a delimiter (one of / : . - _ # |): it would match longer names',
      retryable: false,
    }
    expect(await run('methods', { binding: 'BROKEN' })).toEqual(each(() => error))
  })

  it.each([
    ['READER', 'decrypt'],
    ['WRITER', 'encrypt'],
  ])('allows %s the operation %s and no other', async (binding, allowed) => {
    const answers = await run<Record<string, object>>('methods', { binding })
    for (const [method, operation] of Object.entries(METHODS)) {
      if (operation === allowed) expect(answers[method]).toHaveProperty('value')
      else {
        const message = `the policy does not allow ${operation}: see \`operations\``
        expect(answers[method]).toEqual(denied(message, operation))
      }
    }
  })

  it('refuses a key that the policy does not name', async () => {
    const error = denied('the policy does not allow the key that the call names: see `keys`')
    expect(await run('encrypt', { binding: 'PII' })).toEqual(error)
    expect(await run('encrypt', { binding: 'PII', key: 'pii' })).toEqual({ value: true })
    for (const key of ['other', '__proto__', 'constructor'])
      expect(await run('encrypt', { key })).toEqual(error)
  })

  it('refuses a key that the policy names and the service does not have', async () => {
    expect(await run('encrypt', { key: 'gone' })).toMatchObject({
      code: 'ERR_KMS_CONFIG',
      message:
        'the policy allows a key that createCiphers does not return: return it, or remove it',
    })
  })

  it.each([
    [
      'a value outside of the prefix',
      '{"tenant":"tenant-b/eu"}',
      'does not allow this value of the context key "tenant"',
    ],
    [
      'a value that only begins alike',
      '{"tenant":"tenant-ab/eu"}',
      'does not allow this value of the context key "tenant"',
    ],
    ['no context', '{}', 'requires the context key "tenant"'],
    [
      'a context key that it does not mention',
      '{"tenant":"tenant-a/eu","row":"1"}',
      'does not mention the context key "row"',
    ],
  ])('refuses %s', async (_, context, reason) => {
    expect(await run('encrypt', { context })).toEqual(denied(`the policy ${reason}`))
  })

  it('refuses a context without a key that the policy requires', async () => {
    const error = denied('the policy requires the context key "zone"')
    expect(await run('encrypt', { binding: 'TWO_KEYS' })).toEqual(error)
    const context = '{"tenant":"tenant-a/eu","zone":"eu"}'
    expect(await run('encrypt', { binding: 'TWO_KEYS', context })).toEqual({ value: true })
  })

  it('refuses one item of a batch alone', async () => {
    const error = denied('the policy does not allow this value of the context key "tenant"')
    expect(await run('item-refused')).toEqual(['ok', error, 'ok'])
  })

  it('gives a hole in a batch a result of its own', async () => {
    expect(await run('hole')).toEqual([true, 'ERR_KMS_ACCESS_DENIED', true])
  })

  it('makes no cipher and asks no KMS for a call that is refused', async () => {
    const fresh = await cipherMiniflare('./cipher-app.worker.ts')
    try {
      await caller(fresh)('encrypt', { binding: 'NO_PROPS' })
      await caller(fresh)('encrypt', { binding: 'READER' })
      expect(await caller(fresh)('notes')).toMatchObject({ created: 0, kms: [] })
    } finally {
      await fresh.dispose()
    }
  })
})

describe('R39 what cannot be reached by RPC', () => {
  it.each(['KMS', 'SLOW', 'STORED'])(
    'is createCiphers, as a method and as a field: %s',
    async (binding) => {
      expect(await run('rpc-create-ciphers', { binding })).toEqual({
        name: 'TypeError',
        message: 'The RPC receiver does not implement the method "createCiphers".',
      })
    },
  )

  it('is anything that a caller without the client sends beside plain values', async () => {
    const answers =
      await run<Record<string, { value?: { ok: boolean; error: { code: string } } }>>('raw')
    const codes = Object.fromEntries(
      Object.entries(answers).map(([name, answer]) => [name, answer.value?.error.code ?? answer]),
    )
    expect(codes).toEqual({
      refused: 'ERR_KMS_ACCESS_DENIED',
      callback: 'ERR_KMS_CONFIG',
      map: 'ERR_CONTEXT_INVALID',
      'function as value': 'ERR_CONTEXT_INVALID',
      key: 'ERR_KMS_CONFIG',
      options: 'ERR_KMS_CONFIG',
      'no items': { name: 'TypeError', message: 'items must be an array' },
      'no source': { name: 'TypeError', message: 'source must be a ReadableStream of bytes' },
    })
  })
})

describe('R39 calls', () => {
  it('has every method of the cipher', async () => {
    expect(await run('methods')).toEqual({
      encrypt: { value: true },
      decrypt: { value: '4111 1111' },
      encryptText: { value: 'ek1.' },
      decryptText: { value: 'text' },
      encryptMany: { value: [true] },
      decryptMany: { value: [true] },
      encryptStream: { value: true },
      decryptStream: { value: '4111 1111' },
      rewrap: { value: true },
      rewrapStream: { value: true },
      inspect: { value: true },
    })
  })

  it('encrypts and decrypts 1,000 items', async () => {
    expect(await run('many', { count: '1000' })).toBe(1_000)
  })

  it('splits a batch that is above the 32 MiB of a call', async () => {
    expect(await run('many', { count: '80', size: '500000' })).toBe(80)
  })

  it('gives each item of a batch its own outcome', async () => {
    expect(await run('many-outcomes')).toEqual([
      ...['4111 1111', 'ERR_DECRYPT_FAILED', 'ERR_WIRE_MALFORMED', 'ERR_CONTEXT_INVALID'],
      ...['ERR_KMS_CONFIG', 'ERR_KMS_ACCESS_DENIED'],
    ])
  })

  it('names the 32 MiB of a call where workerd refuses it', async () => {
    expect(await run('too-large')).toEqual([
      expect.objectContaining({ code: 'ERR_ENVELOPE_TOO_LARGE', retryable: false }),
      ['ok', 'ERR_ENVELOPE_TOO_LARGE'],
    ])
  })

  it('sends a subarray without the buffer behind it, both ways', async () => {
    expect(await run('subarray')).toEqual({ back: '4111 1111', own: [true, true], pieces: true })
  })

  it('takes maps without a prototype, which RPC refuses, and gives none', async () => {
    expect(await run('null-prototype')).toMatchObject({
      back: '4111 1111',
      other: { code: 'ERR_DECRYPT_FAILED' },
      facts: { storedContext: { tenant: 'tenant-a/eu' }, canOpen: true },
    })
  })

  it('inspects without a key: by the whole, by the start, and as text', async () => {
    const answer = await run<{ record: object; kinds: string[]; junk: object }>('inspect')
    expect(answer.record).toEqual({
      version: 1,
      kind: 'record',
      commitment: expect.stringMatching(/^[\w-]{43}$/) as string,
      createdAtMs: expect.any(Number) as number,
      storedContext: { tenant: 'tenant-a/eu' },
      wraps: [{ provider: 'local', kekId: 'app', kekVersion: '1', wrappedBytes: 72 }],
      headBytes: 191,
      canOpen: true,
    })
    expect(answer.kinds).toEqual(['stream', 'record', 'record', 'record'])
    expect(answer.junk).toMatchObject({ code: 'ERR_WIRE_MALFORMED' })
  })

  it('keeps the code of an error and whether a retry may help, which RPC loses', async () => {
    const errors = await run<Record<string, object>>('errors')
    const message = (text: string): object => ({ message: text })
    expect(errors).toMatchObject({
      tampered: { name: 'KmsError', code: 'ERR_DECRYPT_FAILED', retryable: false },
      junk: { code: 'ERR_WIRE_MALFORMED' },
      'no bytes': message('plaintext must be a Uint8Array, got a string'),
      'no text': message('text must be a string, got a number'),
      'no UTF-8': { code: 'ERR_WIRE_KIND_REFUSED' },
      'unknown option': { code: 'ERR_KMS_CONFIG', message: 'unknown option: contxt' },
      'context of a class': { code: 'ERR_CONTEXT_INVALID' },
      'context of numbers': { code: 'ERR_CONTEXT_INVALID' },
      aborted: message('stopped by the caller'),
      'another service': message('The RPC receiver does not implement the method "encrypt".'),
    })
  })

  it('never sends a callback of the caller', async () => {
    expect(await run('defer')).toBe(true)
  })

  it('keeps work alive after the answer by waitUntil', async () => {
    expect(await run('encrypt', { binding: 'DEFERRING' })).toEqual({ value: true })
    expect((await notes()).streams).toEqual([])
    await new Promise((resolve) => setTimeout(resolve, 600))
    expect((await notes()).streams).toEqual(['deferred'])
  })
})

describe('R39 the ciphers of an isolate', () => {
  it('are made once, and again only after a failure, whose message stays in the service', async () => {
    const fresh = await cipherMiniflare('./cipher-app.worker.ts')
    const ask = caller(fresh)
    try {
      await ask('fail', { how: 'secret' })
      expect(await ask('encrypt')).toEqual({
        name: 'KmsError',
        code: 'ERR_KMS_CONFIG',
        message: 'createCiphers of the service failed: catch and log the error there',
        retryable: false,
      })
      await ask('fail', { how: 'config' })
      expect(await ask('encrypt')).toMatchObject({ code: 'ERR_KMS_CONFIG', message: 'no key' })
      await ask('fail')
      for (let i = 0; i < 3; i++) expect(await ask('encrypt')).toEqual({ value: true })
      expect(await ask('notes')).toMatchObject({ created: 3, kms: ['generateDataKey'] })
    } finally {
      await fresh.dispose()
    }
  })

  it('are refused where createCiphers returns something else', async () => {
    expect(await run('encrypt', { binding: 'WRONG' })).toMatchObject({
      code: 'ERR_KMS_CONFIG',
      message: 'createCiphers().default must be an EnvelopeCipher, got an object',
    })
  })

  it('are not a promise of another request: one that has ended hangs nobody', async () => {
    await run('slow-close')
    const leader = await run('slow', { timeout: '200' })
    expect(leader).toMatchObject({ code: 'ERR_KMS_TIMEOUT', retryable: true })
    await run('slow-open')
    expect(await run('slow', { timeout: '5000' })).toEqual({ value: true })
  })

  it('come from a secret of the Secrets Store, read by the request that needs it', async () => {
    expect(await run('encrypt', { binding: 'STORED' })).toMatchObject({
      code: 'ERR_KMS_CONFIG',
      message: 'SECRET cannot be read from the Secrets Store',
    })
    const api = await worker.getSecretsStoreSecretAPI('SECRET', 'kms')
    await api().create(KEY_V1)
    await notes()
    const all = await Promise.all(
      Array.from({ length: 5 }, () => run('encrypt', { binding: 'STORED' })),
    )
    expect(all).toEqual(Array.from({ length: 5 }, () => ({ value: true })))
    expect((await notes()).created).toBeGreaterThan(0)
    await run('encrypt', { binding: 'STORED' })
    expect((await notes()).created).toBe(0)
  })
})

describe('R39 the Durable Object behind two services', () => {
  it('makes them share one data key', async () => {
    const context = '{"tenant":"tenant-a/shared"}'
    for (const binding of ['KMS', 'SECOND', 'KMS', 'SECOND'])
      expect(await run('encrypt', { binding, context })).toEqual({ value: true })
    const calls = [
      ...(await notes()).kms,
      ...(await run<{ kms: string[] }>('notes', { binding: 'SECOND' })).kms,
    ]
    expect(calls.toSorted()).toEqual(['generateDataKey', 'unwrapDataKey'])
  })
})
