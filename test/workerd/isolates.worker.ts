import {
  CircuitBreakerKms,
  isKmsError,
  type KeyValueStore,
  KmsError,
  type KmsCallOptions,
} from '../../src/index.ts'
import {
  DurableObjectKeyValueStore,
  EdgeKmsStoreObject,
  type StoreObjectNamespace,
} from '../../adapters/workers/index.ts'
import { ScriptedKms } from '../support/scripted-kms.ts'

export { EdgeKmsStoreObject }

/** How long an isolate waits for the lease of a probe; a store that is slower has no say. */
const LEASE_WAIT_MS = 250

interface Env {
  readonly STORE: StoreObjectNamespace
}

/** Leases that took too long here. Clocks move with I/O, and this is I/O. */
let slowLeases = 0
/** Writes to the store. */
let swaps = 0

function timed(store: KeyValueStore): KeyValueStore {
  return {
    capabilities: store.capabilities,
    get: (key, options) => store.get(key, options),
    put: (key, value, options) => store.put(key, value, options),
    delete: (key, options) => store.delete(key, options),
    async compareAndSwap(key, expected, next, options) {
      const started = Date.now()
      swaps++
      try {
        return await store.compareAndSwap(key, expected, next, options)
      } finally {
        if (key.endsWith('/probe') && Date.now() - started >= LEASE_WAIT_MS - 50) slowLeases++
      }
    },
  }
}

/** `probes`: each isolate opens by its own two failures. `fleet`: none sees enough to open alone. */
const RULES = {
  probes: { failureThreshold: 2, resetTimeoutMs: 2_000 },
  fleet: { resetTimeoutMs: 60_000 },
} as const
const breakers = new Map<string, CircuitBreakerKms>()

function breakerOf(scope: keyof typeof RULES, { STORE }: Env): CircuitBreakerKms {
  const kms = new ScriptedKms('fetched')
  kms.always = async () => {
    const response = await fetch('https://kms.test/call')
    await response.text()
    if (!response.ok) throw new KmsError('ERR_KMS_UNAVAILABLE')
  }
  const store = timed(new DurableObjectKeyValueStore({ namespace: STORE }))
  return new CircuitBreakerKms({ kms, store, scope, ...RULES[scope] })
}

export default {
  async fetch({ url }: Request, env: Env, request: RequestContext): Promise<Response> {
    const scope = new URL(url).pathname === '/fleet' ? 'fleet' : 'probes'
    const breaker = breakers.get(scope) ?? breakerOf(scope, env)
    breakers.set(scope, breaker)
    const options: KmsCallOptions = {
      context: {},
      defer: (work) => {
        request.waitUntil(work)
      },
    }
    const answer = await breaker.generateDataKey(options).then(
      () => 'ok',
      (error: unknown) => (isKmsError(error) ? error.code : String(error)),
    )
    return Response.json({ answer, phase: breaker.state().encrypt.phase, slowLeases, swaps })
  },
}

interface RequestContext {
  waitUntil(work: Promise<unknown>): void
}
