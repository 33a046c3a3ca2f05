// Well-formed records that must not open, all with one class.
import {
  AAD,
  KEK,
  OTHER_KEK,
  PLAINTEXT,
  ctx,
  drawn,
  flipped,
  headerOf,
  join,
  makeKey,
} from './build.mjs'
import {
  block,
  doubled,
  message,
  prefixed,
  recordAad,
  recordBody,
  seal,
  sealXaes,
  subkeyOf,
  utf8,
  wrapOf,
} from './build.mjs'
import { sealUnderTwoKeys } from './two-key-gcm.mjs'

const key = makeKey()
const other = makeKey({ dek: drawn('another dek', 32) })
const base = { context: key.context, aad: AAD }
const fails = (name, comment, bytes, rest = {}) => {
  return { name, comment, expect: 'decrypt-failure', message: bytes, ...base, ...rest }
}
/** The header shows it: no KEK is used (W6.2). */
const early = { kekUse: 'none' }
const record = (given = {}, wraps = [wrapOf(key)]) =>
  message(0x01, headerOf(key, wraps, given), recordBody(key))
const body = recordBody(key)

/** A record body that opens under two data keys. */
export function twoKeyBody(keys) {
  const nonce = drawn('record nonce', 24)
  const subkeys = keys.map(({ recordKey }) => subkeyOf(recordKey, nonce.subarray(0, 12)))
  return join(nonce, sealUnderTwoKeys(subkeys, nonce.subarray(12), recordAad()))
}

export function recordFailures() {
  return [...callerCases(), ...dataKeyCases(), ...recordCases(), ...derivationCases()]
}

function callerCases() {
  const good = record()
  const long = makeKey({ storedMap: {} })
  const hidden = message(0x01, headerOf(long), recordBody(long))
  return [
    fails('aad-value', 'a value of the aad differs', good, { aad: { ...AAD, row: '43' } }),
    fails('aad-missing-entry', 'the aad lacks an entry', good, {
      aad: { table: 'users', column: 'ssn' },
    }),
    fails('aad-extra-entry', 'the aad has one entry more', good, { aad: { ...AAD, extra: '' } }),
    fails('aad-absent', 'no aad is given', good, { aad: {} }),
    fails('aad-for-context', 'aad and context are swapped', good, {
      context: AAD,
      aad: key.context,
      ...early,
    }),
    fails('context-value', 'a value of the stored context differs', good, {
      context: { tenant: 'other' },
      ...early,
    }),
    fails('context-value-case', 'a value differs in case', good, {
      context: { tenant: 'Acme' },
      ...early,
    }),
    fails('context-key-case', 'a key differs in case', good, {
      context: { Tenant: 'acme' },
      ...early,
    }),
    fails('context-absent', 'no context is given', good, { context: {}, ...early }),
    fails('context-extra-entry', 'an entry more than the data key has', good, {
      context: { tenant: 'acme', extra: '' },
    }),
    fails('context-not-stored-value', 'the context is not in the header, and differs', hidden, {
      context: { tenant: 'other' },
    }),
    fails(
      'context-not-stored-absent',
      'the context is not in the header, and none is given',
      hidden,
      {
        context: {},
      },
    ),
    fails('context-normalised', 'another spelling of the same letter', spelled('\u00e9'), {
      context: { name: 'e\u0301' },
    }),
  ]
}

function spelled(text) {
  const own = makeKey({ context: { name: text }, storedMap: {} })
  return message(0x01, headerOf(own), recordBody(own))
}

function dataKeyCases() {
  const bare = makeKey({ storedMap: {} })
  const forged = twoKeyBody([key, other])
  const otherWrap = [wrapOf(other)]
  const later = { ...key.k, 'edge-kms:dk': key.k['edge-kms:dk'].replace(/\d$/, '1') }
  return [
    fails('salt', 'one bit of the salt', record({ salt: flipped(key.salt, 0) })),
    fails(
      'commitment',
      'one bit of the commitment',
      record({ commitment: flipped(key.commitment, 31) }),
    ),
    fails('created-at', 'one bit of createdAt', record({ createdAt: key.createdAt ^ 1n })),
    fails('flags-cleared', 'the stored context is cut out of the header', record({ flags: 0 })),
    fails(
      'flags-set',
      'a stored context is put into a header without one',
      message(
        0x01,
        headerOf(bare, [wrapOf(bare)], { flags: 1, stored: ctx(bare.context) }),
        recordBody(bare),
      ),
    ),
    fails(
      'stored-changed',
      'the header and the caller agree on a wrong context',
      record({ stored: ctx({ tenant: 'other' }) }),
      { context: { tenant: 'other' } },
    ),
    fails(
      'commitment-of-other-dek',
      'the wrap holds another DEK, under which the body opens too: the commitment decides',
      message(0x01, headerOf(key, otherWrap), forged),
    ),
    fails('wrap-of-other-dek', 'the wrap holds another DEK', record({}, otherWrap)),
    fails(
      'wrap-ciphertext',
      'one bit of the wrapped DEK',
      record({}, [{ ...wrapOf(key), wrapped: flipped(wrapOf(key).wrapped, 20) }]),
    ),
    fails(
      'wrap-nonce',
      'one bit of the nonce of the wrap',
      record({}, [{ ...wrapOf(key), wrapped: flipped(wrapOf(key).wrapped, 0) }]),
    ),
    fails(
      'wrap-tag',
      'one bit of the tag of the wrap',
      record({}, [{ ...wrapOf(key), wrapped: flipped(wrapOf(key).wrapped, -1) }]),
    ),
    fails(
      'wrap-short',
      'a wrap of 71 bytes',
      record({}, [{ ...wrapOf(key), wrapped: wrapOf(key).wrapped.subarray(0, 71) }]),
    ),
    fails(
      'wrap-of-aes-gcm',
      'a wrap of 60 bytes: AES-256-GCM under the KEK itself, with a nonce of 12 bytes',
      record({}, [{ ...wrapOf(key), wrapped: plainGcmWrap() }]),
    ),
    fails(
      'wrap-long',
      'a wrap of 73 bytes',
      record({}, [{ ...wrapOf(key), wrapped: join(wrapOf(key).wrapped, Buffer.alloc(1)) }]),
    ),
    fails('wrap-of-16-byte-dek', 'a DEK of 16 bytes, from which all else is derived', shortDek(16)),
    fails('wrap-of-zero-dek', 'a DEK of 32 zero bytes, from which all else is derived', zeroDek()),
    fails('wrap-of-64-byte-dek', 'a DEK of 64 bytes, from which all else is derived', shortDek(64)),
    fails(
      'wrap-version',
      'the wrap claims a version that the reader has, with the key of another',
      record({}, [{ ...wrapOf(key), kekVersion: '2' }]),
      { keks: [KEK, { ...KEK, kekVersion: '2', key: drawn('kek app 2', 32) }] },
    ),
    fails(
      'wrap-version-same-key',
      'the same, where both versions have one key: the version is authenticated',
      record({}, [{ ...wrapOf(key), kekVersion: '2' }]),
      { keks: [KEK, { ...KEK, kekVersion: '2' }] },
    ),
    {
      ...fails(
        'wrap-version-unknown',
        'a version that the reader does not have',
        record({}, [wrapOf(key, { kek: { ...KEK, kekVersion: '9' } })]),
      ),
      expect: 'no-version',
    },
    {
      ...fails(
        'wrap-version-leading-zero',
        'version 01 is not version 1',
        record({}, [wrapOf(key, { kek: { ...KEK, kekVersion: '01' } })]),
      ),
      expect: 'no-version',
    },
    {
      ...fails(
        'wrap-version-0',
        'version 0 does not exist',
        record({}, [wrapOf(key, { kek: { ...KEK, kekVersion: '0' } })]),
      ),
      expect: 'no-version',
    },
    fails(
      'wrap-kek-id-same-key',
      'a wrap moved under another name of the same KEK',
      record({}, [{ ...wrapOf(key), kekId: 'other' }]),
      { keks: [KEK, { ...OTHER_KEK, key: KEK.key }] },
    ),
    fails(
      'wrap-context',
      'the wrap was made without the context',
      record({}, [wrapOf(key, { k: { 'edge-kms:dk': key.k['edge-kms:dk'] } })]),
    ),
    fails(
      'wrap-without-data-key-id',
      'the wrap was made without edge-kms:dk',
      record({}, [wrapOf(key, { k: key.context })]),
    ),
    fails(
      'wrap-of-other-age',
      'the wrap was made for another createdAt',
      record({}, [wrapOf(key, { k: later })]),
    ),
  ]
}

function shortDek(length) {
  const own = makeKey({ dek: drawn(`dek of ${length}`, length) })
  return message(0x01, headerOf(own), recordBody(own))
}

function zeroDek() {
  const own = makeKey({ dek: Buffer.alloc(32) })
  return message(0x01, headerOf(own), recordBody(own))
}

function plainGcmWrap() {
  const { kekId, kekVersion } = KEK
  const nonce = drawn('plain wrap nonce', 12)
  const label = utf8('edge-kms/v1/local-wrap\0')
  const aad = join(label, prefixed(kekId, 2), prefixed(kekVersion, 2), ctx(key.k))
  return join(nonce, seal(KEK.key, nonce, key.dek, aad))
}

/** Records whose subkey is derived in a wrong way. */
function derivationCases() {
  const given = (name, comment, xaes, own = key) =>
    fails(`record-subkey-${name}`, comment, message(0x01, headerOf(own), recordBody(own, { xaes })))
  // With this salt the top bit of L is set, so that K1 has the constant of the field.
  const topBit = keyWithTopBit()
  return [
    given('k1-not-doubled', 'K1 is L', { k1Of: (l) => l }),
    given('k1-zero', 'K1 is left out', { k1Of: () => Buffer.alloc(16) }),
    given(
      'k1-without-constant',
      'K1 is L shifted, where the top bit of L is set',
      { k1Of: (l) => flipped87(doubled(l)) },
      topBit,
    ),
    given('counters-from-0', 'the counters are 0 and 1', { counters: [0, 1] }),
    given('halves-swapped', 'the second block comes first', { counters: [2, 1] }),
    given('one-block-twice', 'both halves have counter 1', { counters: [1, 1] }),
    given('label', 'the label is a lower-case x', { label: 0x78 }),
    fails(
      'record-without-subkey',
      'AES-256-GCM under recordKey itself, with the suffix as its nonce',
      message(0x01, headerOf(key), withoutSubkey()),
    ),
    fails(
      'record-nonce-halves-swapped',
      'the first half of the nonce is used as the suffix',
      message(0x01, headerOf(key), swappedNonce()),
    ),
    fails(
      'record-body-of-aes-gcm',
      'a nonce of 12 bytes, under recordKey itself',
      message(0x01, headerOf(key), plainGcmBody()),
    ),
  ]
}

/** A data key whose L has its top bit set. */
export function keyWithTopBit() {
  for (let i = 0; ; i++) {
    const own = makeKey({ salt: drawn(`salt ${i}`, 32) })
    if (block(own.recordKey, Buffer.alloc(16))[0] >= 0x80) return own
  }
}

const flipped87 = (k1) => join(k1.subarray(0, 15), Buffer.from([k1[15] ^ 0x87]))

function withoutSubkey() {
  const nonce = drawn('record nonce', 24)
  return join(nonce, seal(key.recordKey, nonce.subarray(12), PLAINTEXT, recordAad()))
}

function swappedNonce() {
  const nonce = drawn('record nonce', 24)
  const swapped = join(nonce.subarray(12), nonce.subarray(0, 12))
  return join(nonce, sealXaes(key.recordKey, swapped, PLAINTEXT, recordAad()))
}

function plainGcmBody() {
  const nonce = drawn('record nonce', 12)
  const text = join(PLAINTEXT, Buffer.alloc(12))
  return join(nonce, seal(key.recordKey, nonce, text, recordAad()))
}

function recordCases() {
  const head = headerOf(key)
  const given = (fields) => message(0x01, head, recordBody(key, fields))
  const plainContext = ctx(AAD)
  return [
    fails('record-nonce', 'one bit of its prefix', message(0x01, head, flipped(body, 0))),
    fails('record-nonce-suffix', 'one bit of its suffix', message(0x01, head, flipped(body, 12))),
    fails('record-ciphertext', 'one bit of the ciphertext', message(0x01, head, flipped(body, 24))),
    fails('record-tag', 'one bit of the tag', message(0x01, head, flipped(body, -1, 7))),
    fails('record-cut', 'the last byte is missing', message(0x01, head, body.subarray(0, -1))),
    fails('record-longer', 'one byte more', message(0x01, head, body, Buffer.alloc(1))),
    fails('record-aad-without-label', 'the AAD is ctx(aad) alone', given({ rawAad: plainContext })),
    fails(
      'record-aad-of-stream',
      'the AAD has the label of a stream',
      given({ rawAad: join(utf8('edge-kms/v1/stream\0'), plainContext) }),
    ),
    fails(
      'record-aad-absent',
      'no AAD at all, where the caller gives none',
      given({ rawAad: join() }),
      { aad: {} },
    ),
    fails('record-under-dek', 'encrypted under the DEK itself', given({ key: key.dek })),
    fails('record-under-stream-key', 'encrypted under streamKey', given({ key: key.streamKey })),
    fails(
      'record-under-commitment',
      'encrypted under the public commitment',
      given({ key: key.commitment }),
    ),
    fails('record-tag-of-12-bytes', 'a tag of 96 bits', message(0x01, head, body.subarray(0, -4))),
    fails(
      'record-as-stream',
      'a record with the kind of a stream',
      message(0x02, head, recordBody(key, { plaintext: Buffer.alloc(100) })),
    ),
  ]
}
