import { describe, expect, it } from 'vitest'
import { EncryptedEnvelope, isKmsError } from '../../../src/index.ts'
import { cut, drain, OPTIONS, sequence, setUp, through } from '../wire/fixture.ts'
import { flipped } from './fixture.ts'

const CHUNK = 16_384
const SEALED = 16_400
/** Salt and commitment of the stream. */
const STREAM_HEAD = 56
const FAILED = 'ERR_DECRYPT_FAILED'
const plaintext = sequence(2 * CHUNK + 100)

async function threeChunks(): Promise<{
  readonly cipher: ReturnType<typeof setUp>['cipher']
  readonly message: Uint8Array<ArrayBuffer>
  readonly first: number
}> {
  const { cipher } = setUp()
  const message = await through(cipher.encryptStream(OPTIONS), plaintext)
  return { cipher, message, first: EncryptedEnvelope.parse(message).headBytes + STREAM_HEAD }
}
const codeOf = (error: unknown): unknown => (isKmsError(error) ? error.code : error)

describe('R5 truncation', () => {
  it('R5 every offset of a three-chunk stream is an error, and only whole chunks were released', async () => {
    const { cipher, message, first } = await threeChunks()
    const headBytes = first - STREAM_HEAD
    for (let length = 0; length < message.length; length++) {
      const { released, error } = await drain(cipher.decryptStream(OPTIONS), [
        message.subarray(0, length),
      ])
      const chunks = Math.max(0, Math.floor((length - first) / SEALED))
      const code = length < headBytes ? 'ERR_WIRE_MALFORMED' : FAILED
      // Fewer may have left: a stream that errors drops what was not read.
      const whole = released.length % CHUNK === 0 && released.length <= chunks * CHUNK
      if (codeOf(error) !== code || !whole) {
        expect.fail(`${String(length)} ${String(codeOf(error))} ${String(released.length)}`)
      }
      if (Buffer.compare(released, plaintext.subarray(0, released.length)) !== 0) {
        expect.fail(`other bytes at ${String(length)}`)
      }
    }
    const whole = await drain(cipher.decryptStream(OPTIONS), [message])
    expect(whole.error).toBeUndefined()
    expect(whole.released).toEqual(plaintext)
  })

  it('R5 nothing of a chunk is released before its tag, nor anything after it', async () => {
    const { cipher, message, first } = await threeChunks()
    for (let chunk = 0; chunk < 3; chunk++) {
      const end = Math.min(first + (chunk + 1) * SEALED, message.length)
      for (const at of [first + chunk * SEALED, end - 17, end - 1]) {
        const bad = flipped(message, at)
        for (const sizes of [[message.length], [1_000], [SEALED + 1]]) {
          const { released, error } = await drain(cipher.decryptStream(OPTIONS), cut(bad, sizes))
          expect(codeOf(error)).toBe(FAILED)
          expect(released.length % CHUNK).toBe(0)
          expect(released.length).toBeLessThanOrEqual(chunk * CHUNK)
          expect(released).toEqual(plaintext.slice(0, released.length))
        }
      }
    }
  })
})

describe('R5 pieces', () => {
  it.each([[[1]], [[7, 13, 1]], [[CHUNK - 1]], [[CHUNK + 1]], [[SEALED]], [[3, 0, 40_000]]])(
    'R5 of %j bytes give the same both ways',
    async (sizes) => {
      const runs = async (pieces: readonly number[]): Promise<Uint8Array> => {
        // A set-up of its own draws the same salt, so that the bytes can be compared.
        const { released, error } = await drain(
          setUp().cipher.encryptStream(OPTIONS),
          cut(plaintext, pieces),
        )
        expect(error).toBeUndefined()
        return released
      }
      const message = await runs([plaintext.length])
      expect(Buffer.compare(await runs(sizes), message)).toBe(0)
      const { cipher } = await threeChunks()
      const opened = await drain(cipher.decryptStream(OPTIONS), cut(message, sizes))
      expect(opened.error).toBeUndefined()
      expect(Buffer.compare(opened.released, plaintext)).toBe(0)
    },
  )
})

describe('R5 back-pressure', () => {
  it.each(['encryptStream', 'decryptStream'] as const)(
    'R5 a reader that stops bounds what %s takes',
    async (method) => {
      const { cipher } = setUp()
      const large = sequence(100 * CHUNK)
      const input =
        method === 'encryptStream' ? large : await through(cipher.encryptStream(OPTIONS), large)
      const transform = cipher[method](OPTIONS)
      const writer = transform.writable.getWriter()
      let taken = 0
      const sending = (async () => {
        for (const piece of cut(input, [SEALED])) {
          await writer.write(piece)
          taken += piece.length
        }
      })().catch(() => undefined)
      const reader = transform.readable.getReader()
      await reader.read()
      // The reader stops. Pending work has time to move.
      for (let turn = 0; turn < 40; turn++) await new Promise((resolve) => setTimeout(resolve, 5))
      // Two groups of eight chunks are in flight, and one piece is at each end.
      expect(taken).toBeLessThanOrEqual(18 * SEALED)
      await reader.cancel()
      await sending
      expect(taken).toBeLessThan(input.length)
    },
  )
})

describe('R5 aborts, errors and cancels', () => {
  it.each(['encryptStream', 'decryptStream'] as const)(
    'R5 %s ends with the reason of an abort',
    async (method) => {
      const { message } = await threeChunks()
      const input = method === 'encryptStream' ? plaintext : message
      for (const when of [0, 2]) {
        const { cipher, kms } = setUp()
        const abort = new AbortController()
        const reason = new Error('enough')
        const transform = cipher[method]({ ...OPTIONS, signal: abort.signal })
        function* pieces(): Generator<Uint8Array> {
          let sent = 0
          for (const piece of cut(input, [SEALED])) {
            if (sent++ === when) abort.abort(reason)
            yield piece
          }
        }
        const { error } = await drain(transform, pieces())
        expect(error).toBe(reason)
        if (when === 0) expect(kms.calls).toEqual([])
        else expect(kms.calls).toHaveLength(1)
      }
    },
  )

  it.each(['encryptStream', 'decryptStream'] as const)(
    'R5 the error of a source reaches the reader of %s',
    async (method) => {
      const { cipher, message } = await threeChunks()
      const input = method === 'encryptStream' ? plaintext : message
      const reason = new Error('the source broke')
      const pieces = [...cut(input, [SEALED])]
      const source = new ReadableStream<Uint8Array>({
        pull(controller): void {
          const piece = pieces.shift()
          if (pieces.length === 0) controller.error(reason)
          else controller.enqueue(piece!)
        },
      })
      const reader = source.pipeThrough(cipher[method](OPTIONS)).getReader()
      const ended = (async () => {
        for (;;) if ((await reader.read()).done) return 'ended well'
      })()
      await expect(ended).rejects.toBe(reason)
    },
  )

  it.each(['encryptStream', 'decryptStream'] as const)(
    'R5 a cancel of %s reaches the source',
    async (method) => {
      const { cipher, message } = await threeChunks()
      const input = method === 'encryptStream' ? plaintext : message
      const pieces = [...cut(input, [1_000])]
      const reason = new Error('not needed any more')
      const cancelled = new Promise<unknown>((resolve) => {
        const source = new ReadableStream<Uint8Array>({
          pull: (controller) => {
            controller.enqueue(pieces.shift() ?? new Uint8Array(1))
          },
          cancel: resolve,
        })
        const reader = source.pipeThrough(cipher[method](OPTIONS)).getReader()
        void reader.read().then(() => reader.cancel(reason))
      })
      expect(await cancelled).toBe(reason)
    },
  )
})
