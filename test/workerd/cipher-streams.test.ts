import type { Miniflare } from 'miniflare'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { caller, cipherMiniflare } from './cipher-miniflare.ts'

// R39: streams between two Workers. Each trap of RPC streams that the client meets has a test by name.

/** Bytes that may be under way between a source and a reader: no more with a longer stream. */
const MOST_UNDER_WAY = 1_048_576

interface Sides {
  readonly sent: number
  readonly source: string
  readonly got: number
  readonly reader: string
  readonly lead: number
}

let worker: Miniflare
const run = <T = Sides>(name: string, parameters: Record<string, string> = {}): Promise<T> =>
  caller(worker)<T>(name, parameters)
/** How streams ended in the service: `ended` is the only clean end. */
const endsInService = async (): Promise<readonly string[]> =>
  (await run<{ streams: string[] }>('notes')).streams

beforeAll(async () => {
  worker = await cipherMiniflare('./cipher-streams.worker.ts')
})
afterAll(() => worker.dispose())
beforeEach(() => run('notes')) // forgets

describe('R39 a stream through the service', () => {
  it('comes back whole', async () => {
    const { got, reader } = await run('whole', { bytes: '8000000' })
    expect({ got, reader }).toEqual({ got: 8_000_000, reader: 'done' })
    expect(await endsInService()).toEqual(['ended'])
  })

  it('carries a piece above the 32 MiB of a call', async () => {
    expect(await run('one large piece')).toBe(true)
  })

  it('lets the caller use its buffer again', async () => {
    expect(await run('reused buffer')).toEqual([true, true, true, true, true])
  })
})

describe('R39 back-pressure', () => {
  it.each(['4000000', '32000000'])('keeps little under way of %s bytes', async (bytes) => {
    const { sent, lead, reader } = await run('lead', { bytes })
    expect({ sent, reader }).toEqual({ sent: Number(bytes), reader: 'done' })
    expect(lead).toBeLessThan(MOST_UNDER_WAY)
  })

  it('holds the source while nobody reads', async () => {
    const { lead, reader } = await run('hold')
    expect(reader).toBe('done')
    expect(lead).toBeLessThan(MOST_UNDER_WAY)
  })
})

describe('R39 the error of a stream, whose code RPC drops', () => {
  it('reaches the reader and the source when a chunk was tampered with', async () => {
    const { source, reader, got } = await run('tampered')
    expect(reader).toBe('ERR_DECRYPT_FAILED')
    expect(source).toBe('cancelled: ERR_DECRYPT_FAILED')
    expect(got).toBeGreaterThan(0)
    expect(got).toBeLessThanOrEqual(700_000) // nothing of the tampered chunk, nothing after it
  })

  it('is ERR_DECRYPT_FAILED for another context', async () => {
    expect(await run('other context')).toMatchObject({ reader: 'ERR_DECRYPT_FAILED', got: 0 })
  })

  it('is never a clean end for a message that was cut', async () => {
    expect(await run('cut')).toEqual([
      ...['ERR_WIRE_MALFORMED', 'ERR_WIRE_MALFORMED', 'ERR_WIRE_MALFORMED'],
      ...['ERR_DECRYPT_FAILED', 'ERR_DECRYPT_FAILED', 'ERR_DECRYPT_FAILED', 'ERR_DECRYPT_FAILED'],
    ])
  })

  it.each([{}, { binding: 'OTHER_PROPS' }, { binding: 'READER' }, { binding: 'PII' }])(
    'reaches both sides where the policy refuses: %j',
    async (parameters) => {
      const { source, reader, got } = await run('denied', parameters as Record<string, string>)
      expect({ source, reader, got }).toEqual({
        source: 'cancelled: ERR_KMS_ACCESS_DENIED',
        reader: 'ERR_KMS_ACCESS_DENIED',
        got: 0,
      })
    },
  )

  it('reaches both sides for a piece that is not bytes', async () => {
    const message = 'a piece of a stream must be a Uint8Array, got a string'
    expect(await run('no bytes')).toEqual([message, message])
  })
})

describe('R39 a stream that is cut short is an error on both sides, never a clean end', () => {
  it('where the source errors', async () => {
    expect(await run('source fails')).toMatchObject({ reader: 'the source broke' })
    expect(await endsInService()).toEqual(['cancelled: Error: Network connection lost.'])
  })

  it('where the source is left and then aborted', async () => {
    expect(await run('source is left')).toEqual(['waiting', 'left'])
    const ends = await endsInService()
    expect(ends.length).toBeGreaterThan(0)
    expect(ends).not.toContain('ended')
  })

  it('where the reader cancels: workerd ends a pipe cleanly then', async () => {
    const { source, sent, reader } = await run('cancel')
    expect({ source, reader }).toEqual({
      source: 'cancelled: the reader has enough',
      reader: 'cancelled',
    })
    expect(sent).toBeLessThan(500_000 + MOST_UNDER_WAY)
    expect(await endsInService()).toEqual(['cancelled: Error: Network connection lost.'])
  })

  it('where the signal of the caller aborts', async () => {
    const { source, sent, reader } = await run('abort')
    expect({ source, reader }).toEqual({ source: 'cancelled: stopped', reader: 'stopped' })
    expect(sent).toBeLessThan(500_000 + MOST_UNDER_WAY)
    expect(await endsInService()).toEqual(['cancelled: Error: Network connection lost.'])
  })
})

describe('R39 a stream as the body of a response', () => {
  const post = (path: string, body: Uint8Array) =>
    worker.dispatchFetch(`http://localhost/${path}`, { method: 'POST', body })
  const bytes = new Uint8Array(2_000_000).map((_, i) => i % 251)

  it('comes back whole', async () => {
    const envelope = new Uint8Array(await (await post('encrypt', bytes)).arrayBuffer())
    const back = Buffer.from(await (await post('decrypt', envelope)).arrayBuffer())
    expect(back.equals(bytes)).toBe(true)
  })

  it('breaks where the message was tampered with', async () => {
    const envelope = new Uint8Array(await (await post('encrypt', bytes)).arrayBuffer())
    envelope[1_500_000] = (envelope[1_500_000] as number) ^ 1
    const answer = await post('decrypt', envelope)
    await expect(answer.arrayBuffer()).rejects.toThrow()
  })
})
