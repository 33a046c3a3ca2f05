import { describe, expect, it } from 'vitest'
import { KmsError, type KmsErrorCode } from '../../../../src/index.ts'
import { CONTEXT } from '../../wire/fixture.ts'
import { BindingKms, Cluster } from './fixture.ts'

/** A store that shows one of two older values at each look, as who writes it likes, or as two replicas do. */
async function alternating(capabilities = {}): Promise<Cluster> {
  const cluster = new Cluster(new BindingKms(), capabilities)
  const values: [string, Uint8Array<ArrayBuffer>][] = []
  for (let i = 0; i < 2; i += 1) {
    await cluster.key(cluster.isolate())
    values.push([cluster.slot.name, cluster.slot.bytes])
    cluster.store.values.clear()
  }
  let looks = 0
  const { before } = cluster.store
  cluster.store.before = () => {
    const [name, bytes] = values[looks++ % 2] as (typeof values)[number]
    cluster.plant(name, bytes)
    return before()
  }
  cluster.kms.calls.length = 0
  return cluster
}

describe.each([
  ['strong', {}],
  ['eventual', { consistency: 'eventual', compareAndSwap: false }],
])(
  'a %s store with another key at each look, none of which the KMS opens here',
  (_, capabilities) => {
    it.each<KmsErrorCode>(['ERR_KMS_ACCESS_DENIED', 'ERR_KMS_KEY_DISABLED', 'ERR_DECRYPT_FAILED'])(
      '%s: costs two unwraps and waitMs at most, then the call makes its own',
      async (code) => {
        const cluster = await alternating(capabilities)
        cluster.kms.before = (name) => {
          if (name === 'unwrap') throw new KmsError(code)
        }
        const cache = cluster.isolate()
        const startMs = cluster.world.nowMs
        await cluster.key(cache)
        expect(cluster.kms.count('unwrap')).toBeLessThanOrEqual(2)
        expect(cluster.kms.count('generate')).toBe(1)
        expect(cluster.world.nowMs - startMs).toBeLessThanOrEqual(6_000)
        await cluster.key(cache, CONTEXT)
        expect(cluster.kms.count('generate')).toBe(1)
      },
    )
  },
)
