import type { KmsCacheConfig } from './cache/config.ts'
import type { DataKeyOptions } from './source-options.ts'

/** The options that a preset of the cache sets. */
export type CachePreset = Omit<KmsCacheConfig, 'network' | 'shared'> &
  Pick<DataKeyOptions, 'encryptForMs' | 'maxMessages'>

/**
 * Named values for `CachedKms`; frozen. `disabled`: one data key for each message and one unwrap for each
 * read. `highSecurity`: at most 100 keys for a minute, none past it, and little data under one data key.
 *
 * @example
 * ```ts
 * import { CACHE_PRESETS, CachedKms, type KeyManagementService } from 'edge-kms'
 *
 * export const keysOf = (kms: KeyManagementService) =>
 *   new CachedKms({ kms, ...CACHE_PRESETS.highSecurity })
 * ```
 */
export const CACHE_PRESETS: Readonly<Record<'disabled' | 'highSecurity', CachePreset>> =
  /* @__PURE__ */ Object.freeze({
    disabled: /* @__PURE__ */ Object.freeze({ maxEntries: 0 }),
    highSecurity: /* @__PURE__ */ Object.freeze({
      maxEntries: 100,
      ttlMs: 60_000,
      maxStaleMs: 0,
      maxStaleWriteMs: 0,
      encryptForMs: 300_000,
      maxMessages: 1_024,
    }),
  })
