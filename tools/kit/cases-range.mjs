// Parts of a stream: what a range read returns, and what it must refuse. One message of three chunks,
// and messages so long that only the chunks which are read are written down.
import {
  AAD,
  CHUNK,
  chunkNonce,
  flipped,
  headerOf,
  join,
  makeKey,
  message,
  seal,
} from './build.mjs'
import { streamKeys, streamParts, utf8 } from './build.mjs'

const SEALED = CHUNK + 16
const LENGTH = 2 * CHUNK + 100
const key = makeKey()
const head = message(0x02, headerOf(key))
const { header, chunks, plaintext } = streamParts(key, LENGTH)
const whole = join(head, header, ...chunks)
const base = head.length + header.length

/** @param range - [start, end, size]; undefined where it is not given */
function range(name, comment, range, result, rest = {}) {
  const base = { context: key.context, aad: AAD, message: whole, expect: 'success' }
  return { name: `range-${name}`, comment, ...base, range, ...result, ...rest }
}
/** The bytes from start to end, and whether the length of the message was proven. */
const gives = (start, end, lengthVerified) => ({
  released: plaintext.subarray(start, end),
  lengthVerified,
})
const fails = { expect: 'decrypt-failure' }

export function rangeCases() {
  return [...placeCases(), ...damageCases(), ...sizeCases(), ...farCases()]
}

function placeCases() {
  return [
    range('in-first-chunk', 'inside one chunk', [5, 50], gives(5, 50, false)),
    range(
      'over-a-boundary',
      'the end of one chunk and the start of the next',
      [CHUNK - 2, CHUNK + 3],
      gives(CHUNK - 2, CHUNK + 3, false),
    ),
    range(
      'one-whole-chunk',
      'end is exclusive: chunk 1 alone',
      [CHUNK, 2 * CHUNK],
      gives(CHUNK, 2 * CHUNK, false),
    ),
    range('no-end', 'from a start to the end', [CHUNK + 7], gives(CHUNK + 7, LENGTH, true)),
    range('to-the-end', 'end is the length of the message', [10, LENGTH], gives(10, LENGTH, true)),
    range(
      'past-the-end',
      'end lies past the message: what there is',
      [10, LENGTH + 1_000],
      gives(10, LENGTH, true),
    ),
    range(
      'start-past-the-end',
      'nothing lies there, and the final chunk proves it',
      [LENGTH + 5, LENGTH + 9],
      gives(LENGTH, LENGTH, true),
    ),
    range(
      'start-chunks-past-the-end',
      'the same, some chunks further',
      [9 * CHUNK, 9 * CHUNK + 9],
      gives(LENGTH, LENGTH, true),
    ),
    range('empty', 'an empty range inside the message', [20, 20], gives(20, 20, false)),
    range(
      'from-the-end',
      'the last 30 bytes; the reader knows the size',
      [-30, undefined, whole.length],
      gives(LENGTH - 30, LENGTH, true),
    ),
    range(
      'from-before-the-start',
      'more from the end than there is: everything',
      [-10 * LENGTH, undefined, whole.length],
      gives(0, LENGTH, true),
    ),
    range(
      'with-size',
      'a part, with a size that is verified',
      [5, 50, whole.length],
      gives(5, 50, true),
    ),
  ]
}

function damageCases() {
  const changed = (at) => ({ message: flipped(whole, at) })
  const without = (parts) => ({ message: join(head, header, ...parts) })
  const [first, second, last] = chunks
  return [
    range(
      'damage-elsewhere',
      'chunk 1 is damaged, chunk 0 is read',
      [0, 9],
      gives(0, 9, false),
      changed(base + SEALED),
    ),
    range(
      'damage-inside',
      'chunk 1 is damaged and read',
      [CHUNK, CHUNK + 1],
      fails,
      changed(base + SEALED),
    ),
    range(
      'damage-at-the-other-end',
      'a byte of the same chunk that is not in the range',
      [CHUNK, CHUNK + 1],
      fails,
      changed(base + 2 * SEALED - 1),
    ),
    range(
      'damage-in-empty',
      'an empty range opens the chunk at its start',
      [20, 20],
      fails,
      changed(base),
    ),
    range(
      'stream-commitment',
      'one bit of the stream commitment',
      [0, 9],
      fails,
      changed(base - 1),
    ),
    range(
      'data-key-commitment',
      'one bit of the commitment of the data key',
      [0, 9],
      fails,
      changed(40),
    ),
    range('aad', 'the aad differs', [0, 9], fails, { aad: {} }),
    range('swapped', 'chunks 0 and 1 are swapped', [0, 9], fails, without([second, first, last])),
    range(
      'cut-and-not-seen',
      'the final chunk is missing; chunk 0 is all that is read',
      [0, 9],
      gives(0, 9, false),
      without([first, second]),
    ),
    range(
      'cut-at-a-chunk',
      'the final chunk is missing, and the range has no end',
      [0],
      fails,
      without([first, second]),
    ),
    range(
      'cut-in-final-chunk',
      'the final chunk ends early',
      [2 * CHUNK, 2 * CHUNK + 4],
      fails,
      without([first, second, last.subarray(0, -1)]),
    ),
    range(
      'cut-to-15-bytes',
      'less than a tag at the end',
      [2 * CHUNK],
      fails,
      without([first, second, last.subarray(0, 15)]),
    ),
    range(
      'cut-in-full-chunk',
      'a chunk before the last is cut, and read',
      [CHUNK, CHUNK + 4],
      fails,
      without([first, second.subarray(0, 9_000)]),
    ),
    range(
      'cut-before-start',
      'cut at a chunk, and the range lies past it',
      [5 * CHUNK, 5 * CHUNK + 1],
      fails,
      without([first, second]),
    ),
  ]
}

function sizeCases() {
  const sized = (name, comment, start, end, size) =>
    range(`size-${name}`, comment, [start, end, size], fails)
  return [
    sized('too-small', 'one byte less than the message has', 0, 9, whole.length - 1),
    sized('too-large', 'one byte more', 0, 9, whole.length + 1),
    sized('chunk-less', 'a whole chunk less', 0, 9, whole.length - SEALED),
    sized(
      'off-the-grid',
      'no message ends 15 bytes into a chunk',
      -1,
      undefined,
      base + SEALED + 15,
    ),
    sized('in-header', 'no message ends before its first chunk', -1, undefined, base + 15),
  ]
}

/** Chunks with an index of more than 16, and of more than 32 bits: only what is read is there. */
function farCases() {
  const keys = streamKeys(key)
  const prefix = { at: 0, bytes: join(head, keys.salt, keys.commitment) }
  const text = utf8('4111 1111')
  const far = (name, comment, index, counter = index) => {
    const at = base + index * SEALED
    const sealed = seal(keys.aeadKey, chunkNonce(keys.baseNonce, counter), text)
    const start = index * CHUNK
    const result = counter === index ? { released: text, lengthVerified: true } : fails
    const pieces = [prefix, { at, bytes: sealed }]
    return range(name, comment, [start], result, {
      message: { pieces, length: at + sealed.length },
    })
  }
  return [
    far('chunk-65535', 'the last index of 16 bits', 65_535),
    far('chunk-65536', 'an index of 17 bits', 65_536),
    far('chunk-65536-cut-to-16-bits', 'sealed with the index of chunk 0', 65_536, 0),
    far('chunk-4294967297', 'an index of 33 bits', 4_294_967_297),
    far('chunk-4294967297-cut-to-32-bits', 'sealed with the index of chunk 1', 4_294_967_297, 1),
    far('chunk-last', 'the last index of all, 2^38 - 1', 2 ** 38 - 1),
  ]
}
