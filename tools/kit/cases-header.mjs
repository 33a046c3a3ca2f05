// One wrong field of a head each. Everything that depends on the field agrees with it, so that a
// reader which does not check it would open the message.
import {
  AAD,
  drawn,
  headerOf,
  join,
  makeKey,
  message,
  prefixed,
  rawMap,
  recordBody,
} from './build.mjs'
import { streamParts, unsigned, utf8, wrapOf } from './build.mjs'

export function headerCases() {
  return [...preambleCases(), ...fieldCases(), ...storedCases(), ...wrapCases(), ...textCases()]
}

const key = makeKey()
const bare = { context: key.context, aad: AAD }
const record = (given = {}, own = key) =>
  message(0x01, headerOf(own, given.wraps ?? [wrapOf(own)], given), recordBody(own))
const malformed = (name, comment, bytes, rest = {}) => {
  return { name, comment, expect: 'malformed', message: bytes, ...bare, ...rest }
}
const refused = (name, comment, bytes, rest = {}) => {
  return { name, comment, expect: 'refused', message: bytes, ...bare, ...rest }
}

function preambleCases() {
  const good = record()
  const changed = (at, value) =>
    join(good.subarray(0, at), Buffer.from([value]), good.subarray(at + 1))
  const fields = {
    ...{ magic: 1, version: 2, kind: 3, salt: 20, commitment: 50, 'created-at': 70, flags: 76 },
    ...{ 'stored-length': 78, 'stored-context': 90, count: 95, provider: 98, 'kek-id-length': 102 },
    ...{ 'kek-id': 105, 'kek-version': 108, wrapped: 140 },
  }
  const { header, chunks } = streamParts(key, 100)
  return [
    malformed('empty', 'no byte at all', join()),
    malformed('magic-first-byte', 'begins with 66 6b', changed(0, 0x66)),
    malformed('magic-second-byte', 'begins with 65 6a', changed(1, 0x6a)),
    malformed('magic-missing', 'begins with the version', good.subarray(2)),
    ...Object.entries(fields).map(([name, length]) =>
      malformed(
        `cut-in-${name}`,
        `ends after ${length} bytes, inside the head`,
        good.subarray(0, length),
      ),
    ),
    malformed('cut-before-body', 'a head and nothing else', good.subarray(0, good.length - 49)),
    malformed(
      'record-body-39-bytes',
      'one byte less than a nonce and a tag',
      good.subarray(0, good.length - 10),
    ),
    malformed(
      'cut-in-reference',
      'ends inside the commitment',
      message(0x11, key.commitment.subarray(0, 31)),
    ),
    ...[0, 2, 255].map((version) =>
      refused(
        `version-${version}`,
        'a version that no reader of version 1 accepts',
        changed(2, version),
      ),
    ),
    ...[0x00, 0x03, 0x10, 0x13, 0x21, 0x81, 0xff].map((kind) =>
      refused(
        `kind-${kind.toString(16).padStart(2, '0')}`,
        'a kind that does not exist',
        changed(3, kind),
      ),
    ),
    refused('kind-record-where-streams-are-read', 'the call accepts streams only', good, {
      accept: ['stream', 'stream-by-reference'],
    }),
    refused(
      'kind-stream-where-records-are-read',
      'the call accepts records only',
      message(0x02, headerOf(key), header, ...chunks),
      {
        accept: ['record', 'record-by-reference'],
      },
    ),
    refused(
      'kind-data-key-record',
      'a record of a store is not a message',
      message(0x20, headerOf(key)),
    ),
  ]
}

function fieldCases() {
  const flags = [1, 2, 3, 4, 5, 6, 7].flatMap((bit) => {
    const own = makeKey({ flags: 1 | (1 << bit) })
    const alone = makeKey({ flags: 1 << bit, storedMap: {} })
    const comment = 'a flag that does not exist; the commitment has it too'
    return [
      malformed(`flags-bit-${bit}`, comment, record({}, own)),
      malformed(`flags-bit-${bit}-alone`, comment, record({}, alone)),
    ]
  })
  const late = makeKey({ createdAt: 2n ** 53n })
  const latest = makeKey({ createdAt: 2n ** 64n - 1n })
  return [
    ...flags,
    malformed('created-at-2-to-the-53', 'one more than the latest time', record({}, late)),
    malformed('created-at-2-to-the-64', 'all bits set', record({}, latest)),
  ]
}

function storedCases() {
  const stored = (name, comment, bytes, context = key.context) => {
    const own = makeKey({ context, stored: bytes, flags: 1 })
    return malformed(`stored-${name}`, comment, record({}, own), { context })
  }
  const acme = rawMap([['tenant', 'acme']])
  const bytesMap = (name, value) => join(unsigned(1, 2), prefixed(name, 2), prefixed(value, 2))
  const entries = Array.from({ length: 65 }, (_, i) => [`k${String(i).padStart(2, '0')}`, ''])
  const ab = { a: '1', b: '2' }
  return [
    stored('empty', 'bit 0 of flags with an empty map', rawMap([]), {}),
    stored('no-bytes', 'bit 0 of flags with no map', join()),
    stored('left-over-byte', 'one byte after the last entry', join(acme, Buffer.alloc(1))),
    stored(
      'left-over-entry',
      'an entry that the count does not have',
      join(acme, rawMap([['x', 'y']]).subarray(2)),
    ),
    stored(
      'count-too-high',
      'the map ends before its count',
      join(unsigned(2, 2), acme.subarray(2)),
    ),
    stored('cut', 'the map ends inside a value', acme.subarray(0, -1)),
    stored(
      'out-of-order',
      'b before a',
      rawMap([
        ['b', '2'],
        ['a', '1'],
      ]),
      ab,
    ),
    stored(
      'utf16-order',
      'in the order of UTF-16 code units',
      rawMap([
        ['\u{10000}', '2'],
        ['\ufb33', '1'],
      ]),
      {
        '\u{10000}': '2',
        '\ufb33': '1',
      },
    ),
    stored(
      'repeated-entry',
      'one entry twice',
      rawMap([
        ['tenant', 'acme'],
        ['tenant', 'acme'],
      ]),
    ),
    stored(
      'repeated-key',
      'one key with two values',
      rawMap([
        ['tenant', 'acme'],
        ['tenant', 'other'],
      ]),
    ),
    stored(
      'empty-key',
      'an entry without a name',
      rawMap([
        ['', 'x'],
        ['tenant', 'acme'],
      ]),
    ),
    stored(
      'reserved-key',
      'a name that begins with edge-kms:',
      rawMap([
        ['edge-kms:dk', 'x'],
        ['tenant', 'acme'],
      ]),
    ),
    stored(
      'reserved-key-case',
      'the same in other letters',
      rawMap([
        ['Edge-KMS:x', 'x'],
        ['tenant', 'acme'],
      ]),
    ),
    stored(
      'case',
      'two names that differ in case only',
      rawMap([
        ['Tenant', 'acme'],
        ['tenant', 'acme'],
      ]),
    ),
    stored('65-entries', 'one entry too many', rawMap(entries)),
    stored('4097-bytes', 'one byte too long', rawMap([['k', 'v'.repeat(4_090)]])),
    stored('key-not-utf8', 'a name that is not UTF-8', bytesMap(Buffer.from([0xff]), utf8('x'))),
    stored(
      'value-not-utf8',
      'a value in overlong UTF-8',
      bytesMap(utf8('tenant'), Buffer.from([0xc1, 0xa1])),
    ),
    stored(
      'value-surrogate',
      'a surrogate in UTF-8',
      bytesMap(utf8('tenant'), Buffer.from([0xed, 0xa0, 0x80])),
    ),
  ]
}

function wrapCases() {
  const wrap = (name, comment, change) =>
    malformed(
      `wrap-${name}`,
      comment,
      record({ wraps: [wrapOf(key), { ...wrapOf(key), kekId: 'x', ...change }] }),
    )
  const foreign = (i) => ({ ...wrapOf(key), provider: 'other', kekId: `key ${i}` })
  const others = (count) => Array.from({ length: count }, (_, i) => foreign(i))
  const tiny = (count) => others(count).map((one) => ({ ...one, wrapped: drawn('tiny', 1) }))
  const large = others(15).map((one) => ({ ...one, wrapped: drawn('large', 4_500) }))
  return [
    malformed('count-0', 'no wraps', record({ wraps: [] })),
    refused(
      'count-above-cap',
      'six wraps where five are the cap; the first is ours',
      record({ wraps: [wrapOf(key), ...others(5)] }),
    ),
    refused(
      'count-255',
      '255 wraps, all of them there',
      record({ wraps: [wrapOf(key), ...tiny(254)] }),
      { maxWraps: 16 },
    ),
    refused(
      'count-17',
      'one more than any reader takes',
      record({ wraps: [wrapOf(key), ...others(16)] }),
      { maxWraps: 16 },
    ),
    refused(
      'header-too-long',
      'more than 65,536 bytes',
      record({ wraps: [wrapOf(key), ...large] }),
      { maxWraps: 16 },
    ),
    wrap('provider-empty', 'a provider without a name', { provider: '' }),
    wrap('provider-33-bytes', 'a name that is too long', { provider: 'a'.repeat(33) }),
    wrap('provider-upper-case', 'a letter that is not allowed', { provider: 'Local' }),
    wrap('provider-underscore', 'a character that is not allowed', { provider: 'aws_kms' }),
    wrap('provider-line-feed', 'a line feed at the end of the name', { provider: 'local\n' }),
    wrap('kek-id-empty', 'no kekId', { kekId: '' }),
    wrap('kek-id-2049-bytes', 'a kekId that is too long', { kekId: 'k'.repeat(2_049) }),
    wrap('kek-id-not-utf8', 'a kekId that is not UTF-8', { kekId: Buffer.from([0x61, 0xff]) }),
    wrap('kek-version-257-bytes', 'a kekVersion that is too long', { kekVersion: '1'.repeat(257) }),
    wrap('kek-version-not-utf8', 'a kekVersion that is not UTF-8', {
      kekVersion: Buffer.from([0x80]),
    }),
    wrap('wrapped-empty', 'no wrapped DEK', { wrapped: join() }),
    wrap('wrapped-16385-bytes', 'a wrapped DEK that is too long', {
      wrapped: drawn('long wrap', 16_385),
    }),
    wrap('twice', 'two wraps under one key', { kekId: 'app' }),
    wrap('twice-two-versions', 'two wraps under two versions of one key', {
      kekId: 'app',
      kekVersion: '2',
    }),
    ...unknownKeyCases(),
  ]
}

function unknownKeyCases() {
  const unknown = (name, comment, change) => {
    const bytes = record({ wraps: [{ ...wrapOf(key), ...change }] })
    return { name: `unknown-key-${name}`, comment, expect: 'unknown-key', message: bytes, ...bare }
  }
  return [
    unknown('provider', 'the kekId of our key, of another provider', { provider: 'other' }),
    unknown('kek-id', 'another key of our provider', { kekId: 'another' }),
    unknown('kek-id-case', 'our kekId in another case', { kekId: 'APP' }),
    unknown('kek-id-longer', 'our kekId and a byte more', { kekId: 'app\0' }),
    unknown('kek-id-shorter', 'the beginning of our kekId', { kekId: 'ap' }),
  ]
}

function textCases() {
  const text = record().toString('base64url')
  const body = text.slice(0, text.length - (text.length % 4))
  const bad = (name, comment, value) => malformed(`text-${name}`, comment, value)
  // Of two messages whose lengths differ by one, one at least has a text with unused bits.
  const shorter = message(0x01, headerOf(key), recordBody(key, { plaintext: utf8('12345678') }))
  const candidate = shorter.toString('base64url')
  const loose = candidate.length % 4 === 0 ? text : candidate
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const last = alphabet[alphabet.indexOf(loose.slice(-1)) + 1]
  return [
    bad('no-prefix', 'base64url alone', text),
    bad('prefix-upper-case', 'EK1.', `EK1.${text}`),
    bad('prefix-version-2', 'ek2.', `ek2.${text}`),
    bad('prefix-without-dot', 'ek1 and no dot', `ek1${text}`),
    bad('leading-space', 'a space before the prefix', ` ek1.${text}`),
    bad('trailing-line-feed', 'a line feed at the end', `ek1.${text}\n`),
    bad('space-inside', 'a space in the middle', `ek1.${text.slice(0, 40)} ${text.slice(40)}`),
    bad('padding', 'padding at the end', `ek1.${loose}${'='.repeat(4 - (loose.length % 4))}`),
    bad(
      'standard-alphabet',
      'plus and slash for minus and underscore',
      `ek1.${text.replaceAll('-', '+').replaceAll('_', '/')}`,
    ),
    bad('length-1-mod-4', 'one character too many', `ek1.${body}A`),
    bad('unused-bits', 'unused bits that are not zero', `ek1.${loose.slice(0, -1)}${last}`),
    bad('empty', 'the prefix alone', 'ek1.'),
  ]
}
