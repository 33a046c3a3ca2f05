import type { SharedLevelStats } from '../shared-level.ts'

/** Counts since construction; `entries` is the number now. Those of a shared level are 0 without one. */
export interface CacheStats extends SharedLevelStats {
  readonly entries: number
  readonly encryptHits: number
  readonly encryptMisses: number
  readonly decryptHits: number
  readonly decryptMisses: number
  /** Hits past `ttlMs`, because the KMS could not be reached. */
  readonly staleEncrypts: number
  readonly staleDecrypts: number
  /** KMS calls in the background, ahead of the end of a key's time. */
  readonly refreshes: number
  /** Keys dropped because the cache was full. */
  readonly evictions: number
  /** Keys dropped because the KMS said denied, disabled or not found. */
  readonly revocations: number
  /** Headers refused from memory, without a KMS call, because they failed a moment ago. */
  readonly refusals: number
}

/** Of a cache without a shared level. */
export const NOT_SHARED: SharedLevelStats = {
  adoptions: 0,
  adoptionsRefused: 0,
  leases: 0,
  leaseWaits: 0,
  storeReads: 0,
  storeWrites: 0,
  storeFailures: 0,
  signals: 0,
}

/** The part of {@link CacheStats} that readers count. */
export type ReaderStats = Pick<
  CacheStats,
  'entries' | 'decryptHits' | 'decryptMisses' | 'staleDecrypts' | 'evictions'
>

/** The part of {@link CacheStats} that writers count. */
export type WriterStats = Pick<CacheStats, 'encryptHits' | 'encryptMisses' | 'staleEncrypts'>
