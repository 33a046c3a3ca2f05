import type { DataEncryptionKey } from '../data-encryption-key.ts'
import type { DataKeyFactory } from '../data-key-factory.ts'
import type { Defer } from '../data-key-source.ts'
import type { SourceSettings } from '../source-options.ts'
import type { CacheCounts } from './stats.ts'

/** Parts that readers and writers of one cache share. */
export interface CacheParts {
  readonly settings: SourceSettings
  readonly factory: DataKeyFactory
  readonly counts: CacheCounts
  /** Changes with each `clear` and each drop: a key that was asked for before is not held after. */
  readonly stamp: { value: number }
  /** Hears of each use of what is held, and of each miss of a reader: others may have told to drop it. */
  readonly look: (nowMs: number, defer: Defer) => void
  /** The KMS refuses this key: nobody may use it any more. */
  readonly refused: (key: DataEncryptionKey) => void
}

/** How long a caller waits for the KMS call of another one before it makes its own. */
export const FOLLOWER_WAIT_MS = 2_000
