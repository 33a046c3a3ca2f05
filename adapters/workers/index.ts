/**
 * Cloudflare Workers: stores on Durable Objects, D1, Workers KV and the Cache API, secrets, policies, and a
 * client of a vault.
 *
 * @module
 */
export {
  allows,
  type ContextPattern,
  parsePolicy,
  type Policy,
  type PolicyConfig,
  type PolicyDecision,
  type PolicyOperation,
  type PolicyRequest,
  type PolicyRule,
} from '../../src/policy/index.ts'
export { CacheApiStore, type CacheApiStoreOptions, type WebCache } from './cache-api-store.ts'
export { D1DataKeyStore, type D1DataKeyStoreOptions } from './d1-data-key-store.ts'
export type { D1DatabaseBinding, D1StatementBinding } from './d1-database.ts'
export { D1KeyValueStore, type D1KeyValueStoreOptions } from './d1-key-value-store.ts'
export { D1_SCHEMA } from './d1-schema.ts'
export { d1Source, type D1SourceOptions } from './d1-source.ts'
export type {
  DurableObjectStoreOptions,
  StoreObjectNamespace,
  StoreObjectStub,
} from './durable-object-client.ts'
export { DurableObjectDataKeyStore } from './durable-object-data-key-store.ts'
export { DurableObjectKeyValueStore } from './durable-object-key-value-store.ts'
export type {
  CipherService,
  EnvelopeFacts,
  ManyResult,
  NamedKey,
  ServiceDecryptManyOptions,
  ServiceDecryptOptions,
  ServiceEncryptOptions,
  ServiceInspectOptions,
  ServiceRewrapOptions,
  StreamAnswer,
  StreamResult,
} from './rpc/cipher-service.ts'
export {
  type CipherClient,
  type CipherClientOptions,
  createCipherClient,
} from './rpc/cipher-client.ts'
export { readSecret, readSecrets, type ReadSecretOptions, type SecretBinding } from './secrets.ts'
export { storeBindings } from './store-bindings.ts'
export { EdgeKmsStoreObject, type StoreObjectState } from './store-object.ts'
export {
  type WorkersKvNamespace,
  WorkersKvStore,
  type WorkersKvStoreOptions,
} from './workers-kv-store.ts'
