import { describe, expect, it } from 'vitest'
import { KmsError } from '../../../../src/index.ts'
import { BindingKms, Cluster } from './fixture.ts'

describe('a KMS that only decrypts', () => {
  /** It opens what others wrapped, and makes nothing. */
  class ReadingKms extends BindingKms {
    override readonly capabilities = {
      ...new BindingKms().capabilities,
      usage: 'decrypt' as const,
    }
    override generateDataKey(): Promise<never> {
      this.calls.push('generate')
      return Promise.reject(new KmsError('ERR_KMS_UNSUPPORTED'))
    }
  }

  it.each(['an empty slot', 'a key of a writer'])('writes under nothing: %s', async (there) => {
    const cluster = new Cluster()
    if (there !== 'an empty slot') await cluster.key(cluster.isolate())
    const kms = new ReadingKms()
    const cache = cluster.isolate({ kms })
    await expect(cluster.key(cache)).rejects.toMatchObject({ code: 'ERR_KMS_UNSUPPORTED' })
    expect(kms.calls).toEqual(['generate'])
    expect(cache.stats()).toMatchObject({ adoptions: 0, leases: 0 })
  })

  it('reads, and hears of an invalidation', async () => {
    const cluster = new Cluster()
    const writer = cluster.isolate()
    const { header, context } = await cluster.key(writer)
    const kms = new ReadingKms()
    const reader = cluster.isolate({ kms })
    const read = (): Promise<unknown> =>
      cluster.value(Promise.resolve(reader.open(header, context.map, {})))
    await read()
    await cluster.world.advance(120_000)
    await cluster.value(writer.invalidate())
    await read()
    await cluster.world.advance(1_000)
    await read()
    expect(kms.calls).toEqual(['unwrap', 'unwrap'])
    expect(reader.stats().signals).toBe(1)
  })
})

describe('a clock that gives no time', () => {
  it.each<[string, unknown]>([
    ['NaN', Number.NaN],
    ['infinity', Infinity],
    ['minus infinity', -Infinity],
    ['a bigint', 1_767_225_600_000n],
    ['a text', '1767225600000'],
    ['undefined', undefined],
    ['one that was never set', 0],
  ])('is an error of the configuration with a shared level as without: %s', async (_, time) => {
    const cluster = new Cluster()
    const { world } = cluster
    const runtime = {
      now: () => time as number,
      randomFill: (bytes: Uint8Array<ArrayBuffer>) => world.randomFill(bytes),
    }
    const cache = cluster.isolate({ runtime })
    const alone = cluster.isolate({ runtime, shared: undefined as never })
    const refusal = {
      code: 'ERR_KMS_CONFIG',
      message: expect.stringContaining('the clock is wrong') as string,
    }
    await expect(cluster.key(alone)).rejects.toMatchObject(refusal)
    await expect(cluster.key(cache)).rejects.toMatchObject(refusal)
    await expect(cluster.value(cache.invalidate())).rejects.toMatchObject(refusal)
  })
})
