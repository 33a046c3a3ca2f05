import { wrongOption } from '../../src/checks/index.ts'
import type { KeyValueStore } from '../../src/index.ts'
import { D1KeyValueStore } from './d1-key-value-store.ts'
import type { D1DatabaseBinding } from './d1-database.ts'
import type { StoreObjectNamespace } from './durable-object-client.ts'
import { DurableObjectKeyValueStore } from './durable-object-key-value-store.ts'
import { type WorkersKvNamespace, WorkersKvStore } from './workers-kv-store.ts'

/**
 * Returns the stores among a Worker's bindings by their names, for `bindings` of `stackFromEnv` and
 * `createResilientKms`: a Durable Object of `EdgeKmsStoreObject`, D1 with the tables of `D1_SCHEMA`, and Workers KV.
 * A binding is not used before a configuration names it.
 *
 * @throws KmsError `ERR_KMS_CONFIG` for an environment that is not an object
 *
 * @example
 * ```ts
 * import { stackFromEnv } from 'edge-kms'
 * import { anyKmsFromEnv } from 'edge-kms/config'
 * import { storeBindings } from 'edge-kms/workers'
 *
 * // EDGE_KMS_CONFIG: { "kms": …, "circuitStore": { "binding": "EDGE_KMS_STORE" } }
 * export const stackOf = (env: object) =>
 *   stackFromEnv(env, { kms: anyKmsFromEnv, bindings: storeBindings(env) })
 * ```
 */
export function storeBindings(env: object): Readonly<Record<string, KeyValueStore>> {
  if (Object(env) !== env) throw wrongOption('env', 'an object with the bindings', env)
  const stores: Record<string, KeyValueStore> = {}
  for (const [name, binding] of Object.entries(env)) {
    const store = storeOf(binding)
    if (store !== undefined) stores[name] = store
  }
  return stores
}

function storeOf(binding: unknown): KeyValueStore | undefined {
  const has = (...names: readonly string[]): boolean =>
    typeof binding === 'object' &&
    binding !== null &&
    names.every((name) => typeof Reflect.get(binding, name) === 'function')
  // A service binding answers to every name.
  if (has('edgeKmsIsNoMethod')) return undefined
  if (has('idFromName', 'get'))
    return new DurableObjectKeyValueStore({ namespace: binding as StoreObjectNamespace })
  if (has('prepare', 'batch'))
    return new D1KeyValueStore({ database: binding as D1DatabaseBinding })
  if (has('get', 'put', 'delete', 'getWithMetadata'))
    return new WorkersKvStore({ namespace: binding as WorkersKvNamespace })
  return undefined
}
