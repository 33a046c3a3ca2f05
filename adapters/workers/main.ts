import { variableOf } from '../../src/checks/index.ts'
import { anyKmsFromEnv } from '../../src/config/index.ts'
import { type KmsSource, stackFromEnv } from '../../src/index.ts'
import { KmsMetrics } from '../../src/observability/index.ts'
import { gatewayOptionsFromEnv } from '../gateway/env-options.ts'
import { createGateway, problemOf } from '../gateway/index.ts'
import { withDefaultStore } from './default-stores.ts'
import { storeBindings } from './store-bindings.ts'

export { EdgeKmsStoreObject } from './store-object.ts'

type Gateway = ReturnType<typeof createGateway>
type Env = Readonly<Record<string, unknown>>
type WorkerContext = Parameters<Gateway['fetch']>[2]

/** The binding of the Durable Object in wrangler.toml. If it is bound, isolates share data keys and circuits in it. */
const STORE = 'EDGE_KMS_STORE'

/** One gateway for each isolate, made by its first request: the bindings are not there before. */
let gateway: Gateway | undefined

const worker: {
  fetch(request: Request, env: Env, context: WorkerContext): Response | Promise<Response>
} = {
  fetch(request, env, context) {
    try {
      gateway ??= gatewayOf(env)
    } catch (error) {
      return problemOf(error)
    }
    return gateway.fetch(request, env, context)
  },
}

/** @throws KmsError `ERR_KMS_CONFIG` */
function gatewayOf(env: Env): Gateway {
  const metrics = new KmsMetrics()
  const bindings = storeBindings(env)
  const { cipher, kms, keys } = stackFromEnv(env, { kms: source, bindings, observer: metrics })
  return createGateway({
    cipher,
    kms,
    cacheStats: () => keys.stats(),
    metrics,
    kinds: ['stream', 'record'], // this Worker has no data-key store
    ...gatewayOptionsFromEnv(env),
  })
}

/** Reads the environment, and adds the Durable Object where the environment names no stores. */
const source: KmsSource = Object.assign<KmsSource, Pick<KmsSource, 'variables'>>(
  (env, told) => {
    const made = anyKmsFromEnv(env, told)
    const plan = 'kms' in made ? made : { kms: made }
    const store = told.bindings?.[STORE]
    if (store === undefined) return plan
    const storeAuthKey = variableOf(env, 'EDGE_KMS_STORE_AUTH_KEY')
    const partition = variableOf(env, 'EDGE_KMS_PARTITION') ?? 'edge-kms'
    return withDefaultStore(plan, store, { partition, storeAuthKey })
  },
  { variables: anyKmsFromEnv.variables },
)

export default worker
