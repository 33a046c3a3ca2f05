import type { Bounds } from '../checks/index.ts'

/** Names of the integer options of data keys and their cache, but `refreshAheadMs`, whose default depends. */
type DataKeyOption =
  | 'encryptForMs'
  | 'maxMessages'
  | 'maxWraps'
  | 'callTimeoutMs'
  | 'ttlMs'
  | 'maxEntries'
  | 'maxStaleMs'
  | 'maxStaleWriteMs'

/**
 * Every default of data keys and their cache, once. Presets, the JSON schema and the tables of the
 * documentation are checked against it.
 */
export const DATA_KEY_OPTIONS: Bounds<DataKeyOption> = {
  /** How long after its creation a data key encrypts, ms (W5.2). */
  encryptForMs: { standard: 3_600_000, least: 1, most: 86_400_000 },
  /** Messages of one cache under one data key; no limit by default. */
  maxMessages: { standard: Infinity, least: 1, most: 4_294_967_296 },
  /** Wraps in one header (W3.9, W3.10). */
  maxWraps: { standard: 5, least: 1, most: 16 },
  /** How long one call of the KMS or the data-key store may take before it counts as an outage, ms. */
  callTimeoutMs: { standard: 15_000, least: 1, most: 900_000 },
  /** How long a cached key is used without asking the KMS again, ms. */
  ttlMs: { standard: 300_000, least: 1, most: 3_600_000 },
  /** Data keys in one cache; 0: nothing is cached or shared. */
  maxEntries: { standard: 1_000, least: 0, most: 1_000_000 },
  /** How long past `ttlMs` a key still decrypts while the KMS is down, ms. */
  maxStaleMs: { standard: 60_000, least: 0, most: 86_400_000 },
  /** The same for encrypting, ms. */
  maxStaleWriteMs: { standard: 60_000, least: 0, most: 86_400_000 },
}

/** Which part of `ttlMs` `refreshAheadMs` is by default. */
export const REFRESH_AHEAD_SHARE: number = 1 / 5

/** Subkeys of nonce prefixes that one cache, and one key without a cache, remembers (W4.35). */
export const SUBKEYS: { readonly ofCache: number; readonly ofKey: number } = {
  ofCache: 1_024,
  ofKey: 8,
}
