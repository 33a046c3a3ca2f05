/** Limits of the format and of options, from the constants that the code checks. */
import { CHUNKED } from '../../src/ciphers/chunked.ts'
import { DATA_KEY_OPTIONS } from '../../src/data-keys/defaults.ts'
import { SHARED_OPTIONS } from '../../src/data-keys/shared/defaults.ts'
import { CONTEXT_LIMITS } from '../../src/kms/index.ts'
import { BULKHEAD, CIRCUIT, HEDGE, QUORUM, RETRY, TIMEOUTS } from '../../src/resilience/index.ts'
import { LIMITS } from '../../src/wire/index.ts'
import { code, grouped, table } from './table.mjs'

/** @type {Record<keyof typeof LIMITS, string>} */
const formatWords = {
  headerBytes: 'Key header, at most, in bytes',
  saltBytes: 'Salt of a data key, in bytes',
  commitmentBytes: 'Commitment to a data key, in bytes',
  providerBytes: 'Provider name in a wrap, at most, in bytes',
  kekIdBytes: 'Id of a KEK in a wrap, at most, in bytes',
  kekVersionBytes: 'Version of a KEK in a wrap, at most, in bytes',
  wrappedBytes: 'Wrapped data key, at most, in bytes',
  maxWraps: 'Wraps in a key header, at most, with `maxWraps` at its highest',
  defaultMaxWraps: 'Wraps in a key header, at most, by default',
  nonceBytes: 'Nonce of a record, in bytes',
  tagBytes: 'Authentication tag, in bytes',
  defaultRecordBytes: 'Plaintext of a record, at most, by default, in bytes',
  maxRecordBytes: 'Plaintext of a record, at most, with `maxRecordBytes` at its highest, in bytes',
}

/** @type {Record<keyof typeof CONTEXT_LIMITS, string>} */
const contextWords = {
  maxEntries: 'Entries of a `context` or an `aad`, at most',
  maxContextBytes: 'Encoded `context`, at most, in bytes',
  maxAadBytes: 'Encoded `aad`, at most, in bytes',
}

/** @type {Partial<Record<keyof typeof CHUNKED, string>>} */
const streamWords = {
  chunkBytes: 'Plaintext of a chunk of a stream, in bytes',
  maxChunks: 'Chunks of a stream, at most',
}

/** Groups of options: a title, the prefix of their names, and their bounds. */
const groups = {
  'data-keys': ['', DATA_KEY_OPTIONS],
  shared: ['shared.', SHARED_OPTIONS],
  timeouts: ['', TIMEOUTS],
  retry: ['retry.', RETRY],
  circuit: ['circuitBreaker.', CIRCUIT],
  bulkhead: ['bulkhead.', BULKHEAD],
  several: ['', { ...prefixed('writePolicy.', QUORUM), ...prefixed('hedge.', HEDGE) }],
}

function prefixed(prefix, bounds) {
  return Object.fromEntries(Object.entries(bounds).map(([name, bound]) => [prefix + name, bound]))
}

/** Rows of the constants that have words. A constant without words fails, if `isWhole`. */
function rowsOf(constants, words, isWhole = true) {
  const names = isWhole ? Object.keys(constants) : Object.keys(words)
  return names.map((name) => {
    if (words[name] === undefined) throw new Error(`limits.mjs has no words for ${name}`)
    if (constants[name] === undefined) throw new Error(`the code has no ${name}`)
    return [words[name], grouped(Number(constants[name]))]
  })
}

const numberOf = (value) => (value === Infinity ? 'no limit' : grouped(value))

/** The unit is in the name, as everywhere in the options. */
function optionRow(prefix, [name, { standard, least, most, isShare = false }]) {
  const from = isShare ? `above ${grouped(least)}` : grouped(least)
  return [code(prefix + name), numberOf(standard), from, grouped(most)]
}

/** @returns {Record<string, string>} */
export function limitTables() {
  const head = ['Limit', 'Value']
  const options = Object.entries(groups).map(([name, [prefix, bounds]]) => [
    name,
    table(
      ['Option', 'Default', 'Least', 'Most'],
      Object.entries(bounds).map((entry) => optionRow(prefix, entry)),
    ),
  ])
  return {
    format: table(head, [
      ...rowsOf(LIMITS, formatWords),
      ...rowsOf(CHUNKED, streamWords, false),
      ...rowsOf(CONTEXT_LIMITS, contextWords),
    ]),
    ...Object.fromEntries(options),
  }
}
