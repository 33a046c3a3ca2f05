/** One integer option: its default and its limits. */
export interface OptionRange {
  readonly value: number
  readonly least: number
  readonly most: number
}

/** Names of the integer options of data keys and their cache. */
export type DataKeyOption =
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
export const DATA_KEY_OPTIONS: Readonly<Record<DataKeyOption, OptionRange>> = {
  /** How long after its creation a data key encrypts, ms (W5.2). */
  encryptForMs: { value: 3_600_000, least: 1, most: 86_400_000 },
  /** Messages of one cache under one data key; no limit by default. */
  maxMessages: { value: Infinity, least: 1, most: 4_294_967_296 },
  /** Wraps in one header (W3.9, W3.10). */
  maxWraps: { value: 5, least: 1, most: 16 },
  /** How long one call of the KMS or the data-key store may take before it counts as an outage, ms. */
  callTimeoutMs: { value: 15_000, least: 1, most: 900_000 },
  /** How long a cached key is used without asking the KMS again, ms. */
  ttlMs: { value: 300_000, least: 1, most: 3_600_000 },
  /** Data keys in one cache; 0: nothing is cached or shared. */
  maxEntries: { value: 1_000, least: 0, most: 1_000_000 },
  /** How long past `ttlMs` a key still decrypts while the KMS is down, ms. */
  maxStaleMs: { value: 60_000, least: 0, most: 86_400_000 },
  /** The same for encrypting, ms. */
  maxStaleWriteMs: { value: 60_000, least: 0, most: 86_400_000 },
}

/** Which part of `ttlMs` `refreshAheadMs` is by default. */
export const REFRESH_AHEAD_SHARE: number = 1 / 5

/** Subkeys of nonce prefixes that one cache, and one key without a cache, remembers (W4.35). */
export const SUBKEYS: { readonly ofCache: number; readonly ofKey: number } = {
  ofCache: 1_024,
  ofKey: 8,
}
