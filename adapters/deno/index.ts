/**
 * Deno and Deno Deploy: an environment that is read by single names, errors that name the missing permission, and
 * stores on Deno KV.
 *
 * @module
 */
export { type DenoEnv, denoEnv } from './deno-env.ts'
export type { DenoKv, DenoKvEntry, DenoKvOperation } from './deno-kv.ts'
export { DenoKvDataKeyStore, type DenoKvDataKeyStoreOptions } from './deno-kv-data-key-store.ts'
export { DenoKvKeyValueStore, type DenoKvKeyValueStoreOptions } from './deno-kv-key-value-store.ts'
export { denoKvStores, type DenoKvStores, type DenoKvStoresOptions } from './deno-kv-stores.ts'
export { denoNetwork } from './deno-network.ts'
export { denoReadTextFile } from './deno-read-text-file.ts'
export { type OpenDenoKv, openDenoKv, type OpenDenoKvOptions } from './open-deno-kv.ts'
export { stackOnDeno } from './stack-on-deno.ts'
