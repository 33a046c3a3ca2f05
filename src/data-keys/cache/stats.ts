import type { SharedLevelStats } from '../shared-level.ts'

/** Counts since construction; `entries` is the number now. The counts of a shared level are 0 without one. */
export interface CacheStats extends SharedLevelStats {
  readonly entries: number
  readonly encryptHits: number
  readonly encryptMisses: number
  readonly decryptHits: number
  readonly decryptMisses: number
  /** Hits past `ttlMs`, because the KMS could not be reached. */
  readonly staleEncrypts: number
  readonly staleDecrypts: number
  /** KMS calls in the background, to renew a key before it expires. */
  readonly refreshes: number
  /** Keys dropped because the cache was full. */
  readonly evictions: number
  /** Keys dropped because the KMS said denied, disabled or not found. */
  readonly revocations: number
  /** Headers refused from memory, without a KMS call, because they failed a moment ago. */
  readonly refusals: number
}

/** Counts of one cache, since construction. */
export type CacheCounts = Record<
  | 'encryptHits'
  | 'encryptMisses'
  | 'decryptHits'
  | 'decryptMisses'
  | 'staleEncrypts'
  | 'staleDecrypts'
  | 'refreshes'
  | 'revocations',
  number
>

/** Returns counts that are all 0. */
export function noCounts(): CacheCounts {
  return {
    encryptHits: 0,
    encryptMisses: 0,
    decryptHits: 0,
    decryptMisses: 0,
    staleEncrypts: 0,
    staleDecrypts: 0,
    refreshes: 0,
    revocations: 0,
  }
}
