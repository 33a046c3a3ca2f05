import { describe, expect, it } from 'vitest'
import { readSecret, readSecrets } from '../../../adapters/workers/index.ts'

const bound = (get: () => Promise<unknown>): { get(): Promise<string> } => ({
  get: get as () => Promise<string>,
})

describe('readSecret', () => {
  it('reads the binding for each call: nothing is shared between requests', async () => {
    let reads = 0
    const binding = bound(async () => `value ${String(++reads)}`)
    expect(await readSecret('KEY', binding)).toBe('value 1')
    expect(await readSecret('KEY', binding)).toBe('value 2')
  })

  it('returns a text as it is, as .dev.vars gives one', async () => {
    expect(await readSecret('KEY', 'text')).toBe('text')
  })

  it.each([
    ['no binding', undefined, 'KEY is missing: bind it to a secret'],
    [
      'an empty secret',
      bound(async () => ''),
      'KEY must be a secret that is not empty, got an empty string',
    ],
    [
      'something else',
      bound(async () => ({})),
      'KEY must be a secret that is not empty, got an object',
    ],
    [
      'a store that fails',
      bound(() => Promise.reject(new Error('Secret "master" not found'))),
      'KEY cannot be read from the Secrets Store',
    ],
  ])('refuses %s', async (_, binding, message) => {
    await expect(readSecret('KEY', binding)).rejects.toMatchObject({
      code: 'ERR_KMS_CONFIG',
      message,
    })
  })

  it('gives up after timeoutMs', async () => {
    const read = readSecret(
      'KEY',
      bound(() => new Promise(() => undefined)),
      { timeoutMs: 10 },
    )
    await expect(read).rejects.toMatchObject({ code: 'ERR_KMS_TIMEOUT' })
  })

  it('ends with the signal', async () => {
    const signal = AbortSignal.abort(new Error('stopped'))
    await expect(
      readSecret(
        'KEY',
        bound(async () => 'x'),
        { signal },
      ),
    ).rejects.toThrow('stopped')
  })

  it.each([{ timeoutMs: 0 }, { timeout: 5 }])('refuses the options %j', async (options) => {
    await expect(readSecret('KEY', 'text', options)).rejects.toMatchObject({
      code: 'ERR_KMS_CONFIG',
    })
  })
})

describe('readSecrets', () => {
  it('returns a copy of the environment with the values of the named bindings', async () => {
    const env = { A: bound(async () => 'a'), B: 'b', KV: bound(async () => 'not asked'), C: 5 }
    const read = await readSecrets(env, ['A', 'B'])
    expect(read).toEqual({ ...env, A: 'a' })
    expect(env.A).not.toBe('a')
  })

  it('names the secret that is missing', async () => {
    const env = { A: bound(async () => 'a') } as Record<string, ReturnType<typeof bound>>
    await expect(readSecrets(env, ['A', 'B'])).rejects.toThrow('B is missing: bind it to a secret')
  })
})
