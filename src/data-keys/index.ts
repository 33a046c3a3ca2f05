export { CACHE_PRESETS, type CachePreset } from './cache-presets.ts'
export type { KmsCacheConfig } from './cache/config.ts'
export type { Invalidation } from './cache/invalidation.ts'
export type { CacheStats } from './cache/stats.ts'
export { CachedKms } from './cached-kms.ts'
export { DataEncryptionKey, type EnvelopeForm, type StreamKeys } from './data-encryption-key.ts'
export type { DataKeyLimits } from './data-key-limits.ts'
export type {
  ActiveKeyOptions,
  DataKeyPolicy,
  DataKeySource,
  Defer,
  MaybePromise,
  OpenRequest,
  RewrapKeyOptions,
} from './data-key-source.ts'
export { DATA_KEY_OPTIONS } from './defaults.ts'
export type {
  ObtainOptions,
  SharedDataKeys,
  SharedLevel,
  SharedLevelHost,
  SharedLevelStats,
} from './shared-level.ts'
export type { DataKeyOptions } from './source-options.ts'
