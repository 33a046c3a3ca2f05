import { plainOptions, refuseOthers } from '../../src/checks/index.ts'
import { sharedDataKeys, type SharedDataKeysOptions } from '../../src/data-keys/shared/index.ts'
import type { StackFromEnvOptions } from '../../src/index.ts'
import { DenoKvDataKeyStore } from './deno-kv-data-key-store.ts'
import { DenoKvKeyValueStore, type DenoKvKeyValueStoreOptions } from './deno-kv-key-value-store.ts'

/** Options of {@link denoKvStores}: those of both stores, and of `sharedDataKeys`. */
export interface DenoKvStoresOptions
  extends
    Pick<DenoKvKeyValueStoreOptions, 'kv' | 'prefix' | 'timeoutMs'>,
    Omit<SharedDataKeysOptions, 'store'> {}

/** The stores of a stack: options of `stackFromEnv` to spread. */
export type DenoKvStores = Required<
  Pick<StackFromEnvOptions, 'shared' | 'circuitStore' | 'dataKeyStore'>
>

/**
 * Returns every store of a stack on one Deno KV: data keys and circuits that all processes and isolates share, and
 * records of messages by reference.
 *
 * A configuration in `EDGE_KMS_CONFIG` names its stores itself. Give it `bindings` instead, such as
 * `{ KV: new DenoKvKeyValueStore({ kv }) }`.
 *
 * @remarks Security: `trustedStore: true` declares that only your code writes this database. If others can write it,
 * pass a `storeAuthKey`, 32 random bytes or their base64.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function denoKvStores(options: DenoKvStoresOptions): DenoKvStores {
  const { kv, prefix, timeoutMs, ...sharing } = plainOptions(options)
  // `sharedDataKeys` knows this option, and here it would be ignored.
  refuseOthers('store' in sharing ? { store: true } : {})
  const place = { kv, ...(prefix !== undefined && { prefix }) }
  const common = { ...place, ...(timeoutMs !== undefined && { timeoutMs }) }
  const store = new DenoKvKeyValueStore(common)
  return {
    shared: sharedDataKeys({ ...sharing, store }),
    circuitStore: store,
    dataKeyStore: new DenoKvDataKeyStore(common),
  }
}
