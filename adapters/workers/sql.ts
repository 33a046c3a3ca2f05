/**
 * The SQL of D1 and of the Durable Object, which are both SQLite. Bytes are base64 text: D1 gives a
 * BLOB back as an array of numbers. Every write is one statement, so nothing can come in between.
 */

/** The tables of a key-value store and of a data-key store; a statement each. */
export const SCHEMA: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS edge_kms_values (
  key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL, ends_at INTEGER NOT NULL)`,
  'CREATE INDEX IF NOT EXISTS edge_kms_values_ends_at ON edge_kms_values (ends_at)',
  `CREATE TABLE IF NOT EXISTS edge_kms_data_keys (
  key TEXT NOT NULL PRIMARY KEY, record TEXT NOT NULL)`,
]

/** Of values. `ends_at` is in milliseconds; a value that has ended counts as none. */
export const VALUES = {
  /** key, now */
  get: 'SELECT value FROM edge_kms_values WHERE key = ?1 AND ends_at > ?2',
  /** key, value, end */
  put: `INSERT INTO edge_kms_values (key, value, ends_at) VALUES (?1, ?2, ?3)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value, ends_at = excluded.ends_at`,
  /** key, value, end, now; a row if it was free */
  putIfFree: `INSERT INTO edge_kms_values (key, value, ends_at) VALUES (?1, ?2, ?3)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value, ends_at = excluded.ends_at
    WHERE edge_kms_values.ends_at <= ?4 RETURNING key`,
  /** key, value, end, now, expected; a row if it was that */
  swap: `UPDATE edge_kms_values SET value = ?2, ends_at = ?3
    WHERE key = ?1 AND ends_at > ?4 AND value = ?5 RETURNING key`,
  /** key */
  delete: 'DELETE FROM edge_kms_values WHERE key = ?1',
  /** now; a few of those that have ended, so that no write pays for many */
  sweep: `DELETE FROM edge_kms_values WHERE key IN
    (SELECT key FROM edge_kms_values WHERE ends_at <= ?1 ORDER BY ends_at LIMIT 16)`,
} as const

/** Of data-key records. */
export const RECORDS = {
  /** key */
  get: 'SELECT record FROM edge_kms_data_keys WHERE key = ?1',
  /** key, record; a row if it was free */
  putIfAbsent: `INSERT INTO edge_kms_data_keys (key, record) VALUES (?1, ?2)
    ON CONFLICT (key) DO NOTHING RETURNING key`,
  /** key, next, expected; a row if it was that */
  swap: `UPDATE edge_kms_data_keys SET record = ?2 WHERE key = ?1 AND record = ?3 RETURNING key`,
  /** key */
  delete: 'DELETE FROM edge_kms_data_keys WHERE key = ?1',
  /** the last key of the page before, limit */
  list: 'SELECT key FROM edge_kms_data_keys WHERE key > ?1 ORDER BY key LIMIT ?2',
} as const
