export type { DenoKv, DenoKvEntry, DenoKvOperation } from './deno-kv.ts'
export { DenoKvDataKeyStore, type DenoKvDataKeyStoreOptions } from './deno-kv-data-key-store.ts'
export { DenoKvKeyValueStore, type DenoKvKeyValueStoreOptions } from './deno-kv-key-value-store.ts'
