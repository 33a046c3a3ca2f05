/** Caches with nothing in memory, over one Redis and one local KMS whose calls are counted. */
import { sharedDataKeys } from '../../../src/data-keys/shared/index.ts'
import { CachedKms } from '../../../src/index.ts'
import { createLocalKms } from '../../../src/providers/local/index.ts'
import { RedisKeyValueStore } from '../../../src/stores/index.ts'

const context = { tenant: 'acme' }
const key = Uint8Array.from({ length: 32 }, (_, i) => i * 7)
const storeAuthKey = Uint8Array.from({ length: 32 }, (_, i) => i * 5)

/**
 * @param {object} options
 * @param {import('../../../src/stores/index.ts').RedisCommand} options.command
 * @param {string} options.partition
 * @param {number} options.caches
 * @param {number} [options.leaseMs]
 * @param {(name: string) => Promise<void>} [options.before] runs ahead of each call of the KMS
 */
export function coldCaches({ command, partition, caches, leaseMs = 30_000, before }) {
  const calls = { generateDataKey: 0, unwrapDataKey: 0 }
  const kms = createLocalKms({ versions: [{ version: 1, key }] })
  for (const name of Object.keys(calls)) {
    const real = kms[name].bind(kms)
    kms[name] = async (...args) => {
      calls[name] += 1
      await before?.(name)
      return real(...args)
    }
  }
  // The machine may be busy: what is counted is who is asked how often.
  const store = new RedisKeyValueStore({ command, timeoutMs: 30_000 })
  const times = { storeTimeoutMs: 30_000, leaseMs, waitMs: 60_000 }
  const shared = sharedDataKeys({ store, partition, storeAuthKey, lease: 'required', ...times })
  return { calls, keys: Array.from({ length: caches }, () => new CachedKms({ kms, shared })) }
}

/** @param {readonly CachedKms[]} keys */
export async function commitmentsOf(keys) {
  const use = { bytes: 1, durable: false }
  const active = await Promise.all(keys.map(async (cache) => cache.active(context, use)))
  return new Set(active.map(({ header }) => header.commitment.join()))
}
