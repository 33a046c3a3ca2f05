import {
  CachedKms,
  EncryptedEnvelope,
  EnvelopeCipher,
  type KeyManagementService,
  type KeyValueStore,
} from '../../src/index.ts'
import { sharedDataKeys } from '../../src/data-keys/shared/index.ts'
import { createLocalKms } from '../../src/providers/local/index.ts'
import {
  CacheApiStore,
  type D1DatabaseBinding,
  D1KeyValueStore,
  DurableObjectKeyValueStore,
  EdgeKmsStoreObject,
  type StoreObjectNamespace,
  type WebCache,
  type WorkersKvNamespace,
  WorkersKvStore,
} from '../../adapters/workers/index.ts'

export { EdgeKmsStoreObject }

interface Env {
  readonly KV: WorkersKvNamespace
  readonly STORE: StoreObjectNamespace
  readonly DB: D1DatabaseBinding
}

declare const caches: { readonly default: WebCache }

/** The sums over a thousand caches. */
export interface Seen {
  readonly commitments: readonly string[]
  readonly adoptions: number
  readonly leases: number
  readonly failures: number
}

const OPERATIONS: readonly unknown[] = ['generateDataKey', 'unwrapDataKey']

/** The local KMS, of which what would go over a network does: its answers belong to the request that asked. */
function kmsOf(): KeyManagementService {
  const key = Uint8Array.from({ length: 32 }, (_, i) => i * 7)
  const kms = createLocalKms({ versions: [{ version: 1, key }] })
  return new Proxy(kms, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      const call = value.bind(target) as (...args: unknown[]) => unknown
      if (!OPERATIONS.includes(name)) return call
      return async (...args: unknown[]): Promise<unknown> => {
        await (await fetch(`https://kms.test/${String(name)}`)).text()
        return call(...args)
      }
    },
  })
}

function storeOf(env: Env, name: string | null): KeyValueStore {
  // The machine may be busy: what is measured is who is asked how often.
  const timeoutMs = 60_000
  switch (name) {
    case 'D1':
      return new D1KeyValueStore({ database: env.DB, timeoutMs })
    case 'Workers KV':
      return new WorkersKvStore({ namespace: env.KV, timeoutMs })
    case 'the Cache API':
      return new CacheApiStore({ cache: caches.default, timeoutMs })
    default:
      return new DurableObjectKeyValueStore({ namespace: env.STORE, timeoutMs })
  }
}

const worker = {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url)
    const store = storeOf(env, searchParams.get('store'))
    const shared = sharedDataKeys({
      store,
      partition: 'workerd',
      storeAuthKey: Uint8Array.from({ length: 32 }, (_, i) => i),
      storeTimeoutMs: 60_000,
      leaseMs: Number(searchParams.get('leaseMs') ?? 60_000),
      waitMs: 120_000,
    })
    const context = { tenant: searchParams.get('tenant') ?? '' }
    // Each has nothing in memory: as many cold starts as there are caches.
    const caches = Array.from(
      { length: Number(searchParams.get('caches')) },
      () => new CachedKms({ kms: kmsOf(), shared }),
    )
    const envelopes = Promise.all(
      caches.map((keys) => new EnvelopeCipher({ keys }).encrypt(new Uint8Array(8), { context })),
    )
    if (pathname === '/leave') {
      // Answers while its KMS call is under way, with nothing that keeps the call alive.
      void envelopes.catch(() => undefined)
      while (searchParams.has('waits') && caches.every((one) => one.stats().leases === 0)) {
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
      return new Response('left')
    }
    const commitments = (await envelopes).map((envelope) =>
      EncryptedEnvelope.parse(envelope).commitment.join(),
    )
    const all = caches.map((cache) => cache.stats())
    const seen: Seen = {
      commitments: [...new Set(commitments)],
      adoptions: all.reduce((sum, { adoptions }) => sum + adoptions, 0),
      leases: all.reduce((sum, { leases }) => sum + leases, 0),
      failures: all.reduce((sum, { storeFailures }) => sum + storeFailures, 0),
    }
    return Response.json(seen)
  },
}

export default worker
