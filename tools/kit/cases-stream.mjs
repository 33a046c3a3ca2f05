// Well-formed streams and messages by reference that must not open; and what a reader that streams
// may have released before it stops.
import { hkdfSync } from 'node:crypto'
import { AAD, CHUNK, chunkNonce, ctx, drawn, flipped, headerOf, join, makeKey } from './build.mjs'
import { message, recordBody, seal, streamKeys, streamParts, utf8, wrapOf } from './build.mjs'
import { zeroChunk } from './build.mjs'
import { twoKeyBody } from './cases-record.mjs'

const key = makeKey()
const other = makeKey({ dek: drawn('another dek', 32) })
const base = { context: key.context, aad: AAD }
const fails = (name, comment, bytes, rest = {}) => {
  return { name, comment, expect: 'decrypt-failure', message: bytes, ...base, ...rest }
}
const body = recordBody(key)

export function streamFailures() {
  return [...streamCases(), ...referenceCases()]
}

function streamCases() {
  const { keys, header, chunks, texts } = streamParts(key, 2 * CHUNK + 100)
  const [first, second, last] = chunks
  const head = headerOf(key)
  const none = join()
  const stream = (name, comment, parts, released = none, rest = {}) =>
    fails(`stream-${name}`, comment, message(0x02, head, ...parts), { released, ...rest })
  /** Shorter than any stream can be: a reader sees it before it asks a KMS (W6.1). */
  const short72 = (name, comment, parts) => stream(name, comment, parts, none, { kekUse: 'none' })
  const one = texts[0]
  const both = join(texts[0], texts[1])
  const whole = streamParts(key, CHUNK)
  const extra = seal(keys.aeadKey, chunkNonce(keys.baseNonce, 3), utf8('more'))
  const early = seal(keys.aeadKey, chunkNonce(keys.baseNonce, 0), Buffer.alloc(99))
  const short = (fields) => {
    const parts = streamParts(key, 100, fields)
    return [parts.header, ...parts.chunks]
  }
  const littleEndian = (i) => {
    const nonce = Buffer.from(keys.baseNonce)
    nonce[4] ^= i
    return zeroChunk(keys, nonce, i === 2 ? 100 : CHUNK).sealed
  }
  return [
    stream('salt', 'one bit of the stream salt', [flipped(header, 0), ...chunks]),
    stream('commitment', 'one bit of the stream commitment', [flipped(header, 55), ...chunks]),
    stream('commitment-of-data-key', 'the commitment of the data key instead', [
      keys.salt,
      key.commitment,
      ...chunks,
    ]),
    short72('no-body', 'nothing after the key header', []),
    short72('header-cut-in-salt', '23 bytes of body', [header.subarray(0, 23)]),
    short72('header-cut-after-salt', 'no commitment', [header.subarray(0, 24)]),
    short72('header-cut-in-commitment', '55 bytes of body', [header.subarray(0, 55)]),
    short72('header-only', 'no chunk', [header]),
    stream('first-chunk', 'one bit of the first chunk', [header, flipped(first, 0), second, last]),
    stream(
      'second-chunk',
      'one bit of the second chunk',
      [header, first, flipped(second, 5), last],
      one,
    ),
    stream(
      'second-chunk-tag',
      'one bit of its tag',
      [header, first, flipped(second, -1), last],
      one,
    ),
    stream(
      'final-chunk',
      'one bit of the final chunk',
      [header, first, second, flipped(last, 0)],
      both,
    ),
    stream(
      'final-chunk-tag',
      'one bit of its tag',
      [header, first, second, flipped(last, -1)],
      both,
    ),
    stream('swapped', 'the first two chunks are swapped', [header, second, first, last]),
    stream('repeated', 'the first chunk twice', [header, first, first, second, last], one),
    stream('replaced', 'the first chunk instead of the second', [header, first, first, last], one),
    stream('dropped-first', 'the first chunk is missing', [header, second, last]),
    stream('dropped-second', 'the second chunk is missing', [header, first, last], one),
    stream('dropped-final', 'cut at the end of a chunk', [header, first, second], both),
    stream(
      'dropped-empty-final',
      'the message ends with a full chunk',
      [whole.header, whole.chunks[0]],
      whole.texts[0],
    ),
    stream('cut-in-first-chunk', 'cut inside the first chunk', [header, first.subarray(0, 9_000)]),
    stream(
      'cut-in-second-chunk',
      'cut inside the second chunk',
      [header, first, second.subarray(0, 16_399)],
      one,
    ),
    stream(
      'cut-in-final-chunk',
      'the last byte is missing',
      [header, first, second, last.subarray(0, -1)],
      both,
    ),
    stream(
      'cut-to-15-bytes',
      'less than a tag at the end',
      [header, first, second, last.subarray(0, 15)],
      both,
    ),
    stream(
      'cut-to-16-bytes',
      'as long as an empty final chunk',
      [header, first, second, last.subarray(0, 16)],
      both,
    ),
    stream(
      'trailing-byte',
      'one byte after the final chunk',
      [header, ...chunks, Buffer.alloc(1)],
      both,
    ),
    stream(
      'trailing-zeros',
      'a chunk of zeros after the final one',
      [header, ...chunks, Buffer.alloc(16_400)],
      both,
    ),
    stream(
      'trailing-chunk',
      'a genuine chunk after the final one',
      [header, ...chunks, extra],
      both,
    ),
    stream('short-first-chunk', 'a first chunk of 99 bytes', [header, early, second, last]),
    stream(
      'counter-little-endian',
      'the index is XORed in the wrong byte order',
      [header, first, littleEndian(1), littleEndian(2)],
      one,
    ),
    stream(
      'counter-not-counted',
      'every chunk has the nonce of the first',
      [header, first, seal(keys.aeadKey, keys.baseNonce, Buffer.alloc(100))],
      one,
    ),
    stream(
      'label-of-record',
      'the context has the label of a record',
      short({ label: 'edge-kms/v1/record\0' }),
    ),
    stream('label-absent', 'the context is ctx(aad) alone', short({ label: '' })),
    stream('under-record-key', 'derived from recordKey', short({ prk: key.recordKey })),
    stream('under-dek', 'derived from the DEK itself', short({ prk: key.dek })),
    stream('hkdf-with-extract', 'derived with HKDF-Extract before Expand', extracted()),
    stream('chunk-with-aad', 'the aad is authenticated in the chunk as well', [
      header,
      seal(keys.aeadKey, keys.baseNonce, utf8('text'), ctx(AAD)),
    ]),
    fails(
      'stream-kind-of-record',
      'a stream with the kind of a record',
      message(0x01, head, ...short({})),
    ),
    fails('stream-aad', 'a value of the aad differs', message(0x02, head, header, ...chunks), {
      aad: { ...AAD, row: '43' },
    }),
    fails(
      'stream-context',
      'a value of the context differs',
      message(0x02, head, header, ...chunks),
      { context: { tenant: 'other' }, kekUse: 'none' },
    ),
  ]
}

function extracted() {
  const { salt } = streamKeys(key)
  const context = join(utf8('edge-kms/v1/stream\0'), ctx(AAD))
  const info = join(utf8('c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0'), salt, context)
  const okm = Buffer.from(hkdfSync('sha512', key.streamKey, Buffer.alloc(0), info, 76))
  const chunk = seal(okm.subarray(0, 32), okm.subarray(32, 44), utf8('text'))
  return [salt, okm.subarray(44, 76), chunk]
}

function referenceCases() {
  const refer = message(0x11, key.commitment, body)
  const stored = (name, comment, store, expect = 'decrypt-failure') => ({
    ...fails(`reference-${name}`, comment, refer, { store }),
    expect,
  })
  const forged = twoKeyBody([key, other])
  const named = (record) => ({ commitment: key.commitment, record })
  const swapped = named(message(0x20, headerOf(other)))
  return [
    stored('unknown', 'the store has no such record', [], 'unknown-reference'),
    stored(
      'to-other',
      'the store has another data key only',
      [message(0x20, headerOf(other))],
      'unknown-reference',
    ),
    stored('record-of-other-key', 'the store answers with the record of another data key', [
      swapped,
    ]),
    stored('record-with-commitment-of-other-key', 'that record claims this commitment', [
      message(0x20, headerOf(other, [wrapOf(other)], { commitment: key.commitment })),
    ]),
    stored(
      'record-with-changed-commitment',
      'the record claims another commitment than the message; its wrap opens to the right DEK',
      [named(message(0x20, headerOf(key, [wrapOf(key)], { commitment: other.commitment })))],
    ),
    {
      ...stored(
        'to-changed-commitment',
        'the message names the commitment of another data key, and the store has the record of ours there',
        [{ commitment: other.commitment, record: message(0x20, headerOf(key)) }],
      ),
      message: message(0x11, other.commitment, body),
    },
    stored('record-with-wrap-of-other-key', 'the wrap in the record was swapped', [
      message(0x20, headerOf(key, [wrapOf(other)])),
    ]),
    {
      ...stored('two-key-body', 'the record of another data key, under which the body opens too', [
        swapped,
      ]),
      message: message(0x11, key.commitment, forged),
    },
    stored(
      'record-cut',
      'the record ends early',
      [message(0x20, headerOf(key)).subarray(0, -1)],
      'malformed',
    ),
    stored(
      'record-longer',
      'one byte after the record',
      [message(0x20, headerOf(key), Buffer.alloc(1))],
      'malformed',
    ),
    stored(
      'record-is-a-message',
      'the store answers with an inline message',
      [named(message(0x01, headerOf(key), body))],
      'refused',
    ),
    stored(
      'record-of-unknown-key',
      'the record has no wrap under a key of the reader',
      [message(0x20, headerOf(key, [{ ...wrapOf(key), kekId: 'another' }]))],
      'unknown-key',
    ),
    { ...stored('wrong-aad', 'the aad differs', [message(0x20, headerOf(key))]), aad: {} },
    {
      ...stored('wrong-context', 'the context differs', [message(0x20, headerOf(key))]),
      context: { tenant: 'other' },
      kekUse: 'none',
    },
    {
      ...stored('body-39-bytes', 'a body of 39 bytes', [message(0x20, headerOf(key))], 'malformed'),
      message: message(0x11, key.commitment, body.subarray(0, 39)),
    },
    {
      ...stored(
        'inline-as-reference',
        'an inline record with the kind of a reference',
        [message(0x20, headerOf(key))],
        'unknown-reference',
      ),
      message: message(0x11, headerOf(key), body),
    },
  ]
}
