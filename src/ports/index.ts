export type { DataKeyPage, DataKeyStore, DataKeyStoreOptions } from './data-key-store.ts'
export type { Runtime } from './runtime.ts'
