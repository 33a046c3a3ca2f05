import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  type DenoKv,
  denoKvStores,
  denoReadTextFile,
  openDenoKv,
} from '../../../adapters/deno/index.ts'
import { notCapable, stubDeno } from './support.ts'

afterEach(() => {
  vi.unstubAllGlobals()
})

const opens = (openKv: unknown): void => {
  stubDeno({}, [], { openKv })
}
const rejects = (error: unknown) => async () => {
  throw error
}

describe('openDenoKv', () => {
  it('opens what the path names', async () => {
    const kv = {}
    const openKv = vi.fn(async () => kv)
    opens(openKv)
    expect(await openDenoKv({ path: 'app.sqlite' })).toBe(kv)
    expect(await openDenoKv()).toBe(kv)
    expect(openKv.mock.calls).toEqual([['app.sqlite'], [undefined]])
  })

  it.each([
    ['--unstable-kv', undefined, {}],
    [
      '--allow-read=app.sqlite --allow-write=app.sqlite',
      rejects(notCapable('Requires read access')),
      { path: 'app.sqlite' },
    ],
    [
      '--allow-net=kv.example.com',
      rejects(notCapable('Requires net access')),
      { path: 'https://kv.example.com/connect' },
    ],
  ])('names the missing %s', async (flag, openKv, options) => {
    opens(openKv)
    await expect(openDenoKv(options)).rejects.toMatchObject({
      code: 'ERR_KMS_CONFIG',
      message: expect.stringContaining(`start`),
    })
    await expect(openDenoKv(options)).rejects.toThrow(flag)
  })

  it('closes a database that opens after the time is up', async () => {
    const close = vi.fn()
    let open: (kv: unknown) => void = () => undefined
    opens(() => new Promise((resolve) => (open = resolve)))
    await expect(openDenoKv({ timeoutMs: 1 })).rejects.toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
    })
    open({ close })
    await vi.waitFor(() => expect(close).toHaveBeenCalledTimes(1))
  })

  it('refuses a signal that aborts nothing', async () => {
    opens(async () => ({}))
    await expect(openDenoKv({ signal: new AbortController() as never })).rejects.toMatchObject({
      code: 'ERR_KMS_CONFIG',
    })
  })

  it('fails as a store where the database cannot be opened', async () => {
    opens(rejects(new Error('disk I/O error')))
    await expect(openDenoKv()).rejects.toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
      provider: 'deno-kv',
    })
  })

  it('keeps what the system says of a file, and nothing of what a remote database says', async () => {
    const error = new Error('of https://kv.example.com/secret')
    opens(rejects(error))
    await expect(openDenoKv({ path: 'a.sqlite' })).rejects.toMatchObject({ cause: error })
    const remote = openDenoKv({ path: 'https://kv.example.com/secret' })
    await expect(remote).rejects.toSatisfy((thrown: Error) => thrown.cause === undefined)
  })

  it('ends at its timeout, and when the caller aborts', async () => {
    opens(() => new Promise(() => undefined))
    await expect(openDenoKv({ timeoutMs: 5 })).rejects.toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
      message: expect.stringContaining('in time'),
    })
    const reason = new Error('enough')
    await expect(openDenoKv({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })

  it.each([[{ path: '' }], [{ path: 7 }], [{ timeoutMs: 0 }], [{ file: 'x' }]])(
    'refuses %j',
    async (options) => {
      opens(async () => ({}))
      const work = openDenoKv(options as object)
      await expect(work).rejects.toMatchObject({ code: 'ERR_KMS_CONFIG' })
    },
  )
})

describe('denoKvStores', () => {
  const kv = { atomic: () => undefined } as unknown as DenoKv

  it('makes the three stores of a stack', () => {
    const stores = denoKvStores({ kv, partition: 'app', trustedStore: true, prefix: 'mine' })
    expect(Object.keys(stores).sort()).toEqual(['circuitStore', 'dataKeyStore', 'shared'])
  })

  it.each([
    ['a promise of a database', { kv: Promise.resolve(kv), partition: 'app', trustedStore: true }],
    ['no word of who writes the store', { kv, partition: 'app' }],
    ['both words', { kv, partition: 'app', trustedStore: true, storeAuthKey: 'x'.repeat(44) }],
    ['no partition', { kv, trustedStore: true }],
    ['an unknown option', { kv, partition: 'app', trustedStore: true, table: 'x' }],
    ['a store of its own', { kv, partition: 'app', trustedStore: true, store: {} }],
  ])('refuses %s', (_, options) => {
    expect(() => denoKvStores(options as never)).toThrow(
      expect.objectContaining({ code: 'ERR_KMS_CONFIG' }),
    )
  })
})

describe('denoReadTextFile', () => {
  const reads = (readTextFile: unknown): void => {
    stubDeno({}, [], { readTextFile })
  }

  it('returns the text', async () => {
    reads(async (path: string) => `of ${path}`)
    expect(await denoReadTextFile('a.txt')).toBe('of a.txt')
  })

  it('ends after ten seconds', async () => {
    vi.useFakeTimers()
    try {
      reads(() => new Promise(() => undefined))
      const work = denoReadTextFile('a.txt').catch((error: unknown) => error)
      await vi.advanceTimersByTimeAsync(10_000)
      expect(await work).toMatchObject({ code: 'ERR_KMS_TIMEOUT' })
    } finally {
      vi.useRealTimers()
    }
  })

  it.each([
    ['a pipe or a folder', { isFile: false, size: 0 }],
    ['a file above 1 MiB', { isFile: true, size: 1_048_577 }],
  ])('does not begin to read %s', async (_, stat) => {
    const readTextFile = vi.fn(async () => 'text')
    stubDeno({}, [], { readTextFile, stat: async () => stat })
    await expect(denoReadTextFile('a.txt')).rejects.toMatchObject({
      code: 'ERR_KMS_CONFIG',
      message: 'a.txt must be a regular file of at most 1 MiB',
    })
    expect(readTextFile).not.toHaveBeenCalled()
  })

  it.each([
    [notCapable('x'), 'Deno may not read a.txt: start it with --allow-read=a.txt'],
    [Object.assign(new Error('secret'), { name: 'NotFound' }), 'a.txt cannot be read: NotFound'],
    ['secret', 'a.txt cannot be read: it failed'],
  ])('says why it cannot be read: %s', async (error, message) => {
    reads(rejects(error))
    await expect(denoReadTextFile('a.txt')).rejects.toMatchObject({
      code: 'ERR_KMS_CONFIG',
      message,
    })
  })
})
