// Cases that a reader must open.
import {
  AAD,
  CHUNK,
  KEK,
  OTHER_KEK,
  PLAINTEXT,
  ctx,
  drawn,
  headerOf,
  join,
  makeKey,
} from './build.mjs'
import { message, recordBody, streamParts, wrapOf } from './build.mjs'
import { keyWithTopBit } from './cases-record.mjs'

export function successCases() {
  const key = makeKey()
  const notStored = makeKey({ storedMap: {} })
  const ok = (name, comment, bytes, rest = {}) => {
    const base = { expect: 'success', context: key.context, aad: AAD, released: PLAINTEXT }
    return { name, comment, message: bytes, ...base, ...rest }
  }
  const record = (name, comment, given, rest) => {
    const own = makeKey(given)
    const bytes = message(0x01, headerOf(own), recordBody(own))
    return ok(name, comment, bytes, { context: own.context, ...rest })
  }
  const two = { ...KEK, kekVersion: '2', key: drawn('kek app 2', 32) }
  const foreign = (i) => ({
    provider: 'aws-kms',
    kekId: `arn:aws:kms:us-east-1:111122223333:key/${i}`,
    kekVersion: '',
    wrapped: drawn(`foreign wrap ${i}`, 184),
  })
  const many = Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`key ${i}`, `${i}`]))
  const unicode = { '\u{10000}': '2', '\ufb33': '1', '\u00e9': 'e\u0301', '\ufeff': '\ufeff' }
  const proto = JSON.parse('{"__proto__":"a","constructor":"b"}')

  const records = [
    record('record', 'a record with its context stored in the header'),
    record('record-context-not-stored', 'bit 0 of flags is 0, the context is bound all the same', {
      storedMap: {},
    }),
    record('record-context-partly-stored', 'one entry of two is stored', {
      context: { subject: 's-17', tenant: 'acme' },
      storedMap: { tenant: 'acme' },
    }),
    record('record-no-context', 'no context at all', { context: {} }),
    record('record-context-64-entries', 'the most entries that a context may have', {
      context: many,
    }),
    record(
      'record-context-unicode',
      'entries in the order of UTF-8, not of UTF-16; nothing is normalised',
      {
        context: unicode,
      },
    ),
    record('record-context-4096-bytes', 'the longest context', {
      context: { k: 'v'.repeat(4_089) },
    }),
    record('record-context-prototype', 'names that JavaScript objects inherit are ordinary keys', {
      context: proto,
    }),
    record('record-top-bit-of-l', 'the top bit of L is set: K1 has the constant of the field', {
      salt: keyWithTopBit().salt,
    }),
    record('record-created-1970', 'the age of a data key never decides a decrypt', {
      createdAt: 0n,
    }),
    record('record-created-far-future', 'createdAt is 2^53-1', { createdAt: 2n ** 53n - 1n }),
    ok(
      'record-empty',
      'no plaintext',
      message(0x01, headerOf(key), recordBody(key, { plaintext: join() })),
      {
        released: join(),
      },
    ),
    ok(
      'record-no-aad',
      'an absent aad is the empty map',
      message(0x01, headerOf(key), recordBody(key, { aad: {} })),
      {
        aad: {},
      },
    ),
    ok(
      'record-old-kek-version',
      'the wrap is under a version that is not the highest',
      message(0x01, headerOf(key), recordBody(key)),
      {
        keks: [KEK, two],
      },
    ),
    ok(
      'record-foreign-wraps',
      'four wraps of other providers, then ours',
      message(0x01, headerOf(key, [...[1, 2, 3, 4].map(foreign), wrapOf(key)]), recordBody(key)),
    ),
    ok(
      'record-16-wraps',
      'the most wraps that any reader takes',
      message(
        0x01,
        headerOf(key, [...Array.from({ length: 15 }, (_, i) => foreign(i)), wrapOf(key)]),
        recordBody(key),
      ),
      {
        maxWraps: 16,
      },
    ),
    ok(
      'record-first-wrap-opens-to-another-dek',
      'its commitment does not match: the next wrap is the right one',
      message(
        0x01,
        headerOf(key, [
          wrapOf(key, { dek: drawn('another dek', 32) }),
          wrapOf(key, { kek: OTHER_KEK }),
        ]),
        recordBody(key),
      ),
      {
        keks: [KEK, OTHER_KEK],
      },
    ),
    ok(
      'record-first-wrap-opens-to-16-bytes',
      'what no DEK can be counts as a wrong DEK: the next wrap is the right one',
      message(
        0x01,
        headerOf(key, [
          wrapOf(key, { dek: drawn('short dek', 16) }),
          wrapOf(key, { kek: OTHER_KEK }),
        ]),
        recordBody(key),
      ),
      { keks: [KEK, OTHER_KEK] },
    ),
    ok(
      'record-wrapped-16384-bytes',
      'the longest wrap, of another provider',
      message(
        0x01,
        headerOf(key, [{ ...foreign(1), wrapped: drawn('long', 16_384) }, wrapOf(key)]),
        recordBody(key),
      ),
    ),
    ok(
      'record-first-wrap-is-junk',
      'it does not open: the next wrap is the right one',
      message(
        0x01,
        headerOf(key, [
          { ...wrapOf(key), wrapped: drawn('junk', 72) },
          wrapOf(key, { kek: OTHER_KEK }),
        ]),
        recordBody(key),
      ),
      {
        keks: [KEK, OTHER_KEK],
      },
    ),
    ok(
      'record-by-reference',
      'the key header is in the data-key store',
      message(0x11, key.commitment, recordBody(key)),
      {
        store: [message(0x20, headerOf(key))],
      },
    ),
    ok(
      'record-by-reference-context-not-stored',
      'neither the message nor the record has the context',
      message(0x11, notStored.commitment, recordBody(notStored)),
      {
        store: [message(0x20, headerOf(notStored))],
      },
    ),
    ok(
      'text-record',
      'the text form of a record',
      `ek1.${message(0x01, headerOf(key), recordBody(key)).toString('base64url')}`,
    ),
    ok(
      'text-record-by-reference',
      'the text form of a record by reference',
      `ek1.${message(0x11, key.commitment, recordBody(key)).toString('base64url')}`,
      {
        store: [message(0x20, headerOf(key))],
      },
    ),
  ]

  const lengths = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 1]
  const streams = lengths.map((length) => {
    const { header, chunks, plaintext } = streamParts(key, length)
    const bytes = message(0x02, headerOf(key), header, ...chunks)
    const comment = `${chunks.length} chunks, the final one of ${length % CHUNK} bytes`
    return ok(`stream-${length}-bytes`, comment, bytes, { released: plaintext })
  })
  const long = streamParts(key, 257 * CHUNK + 1)
  const referred = streamParts(notStored, CHUNK + 1)
  return [
    ...records,
    ...streams,
    ok(
      'stream-counter-past-one-byte',
      '258 chunks: the index takes two bytes',
      message(0x02, headerOf(key), long.header, ...long.chunks),
      {
        released: long.plaintext,
      },
    ),
    ok(
      'stream-by-reference',
      'the key header is in the data-key store',
      message(0x12, notStored.commitment, referred.header, ...referred.chunks),
      {
        released: referred.plaintext,
        store: [message(0x20, headerOf(notStored))],
      },
    ),
    ok(
      'stream-no-aad',
      'an absent aad is the empty map',
      message(0x02, headerOf(key), ...noAad(key)),
      {
        aad: {},
        released: streamParts(key, 100, { aad: {} }).plaintext,
      },
    ),
  ]
}

function noAad(key) {
  const { header, chunks } = streamParts(key, 100, { aad: {} })
  if (ctx({}).length !== 2) throw new Error('the empty map is two bytes')
  return [header, ...chunks]
}
