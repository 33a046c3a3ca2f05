import { describe, expect, it } from 'vitest'
import { EncryptedEnvelope } from '../../../src/index.ts'
import { bytesOf, codeIn, CountedKms, MAPS, OPTIONS, post, sequence, setUp } from './fixture.ts'

const SIZES = [0, 1, 16_383, 16_384, 65_536, 262_144, 262_145, 1_000_000]

describe('encrypt and decrypt', () => {
  it.each(SIZES)('gives %i bytes back', async (size) => {
    const { app } = setUp()
    const plaintext = sequence(size)
    const sealed = await app.fetch(post('/v1/encrypt', plaintext))
    expect(sealed.status).toBe(200)
    const envelope = await bytesOf(sealed)
    expect(EncryptedEnvelope.parse(envelope).kind).toBe('stream')
    const opened = await app.fetch(post('/v1/decrypt', envelope))
    expect(opened.status).toBe(200)
    expect(Buffer.compare(await bytesOf(opened), plaintext)).toBe(0)
  })

  it('takes no body for an empty one', async () => {
    const { app } = setUp()
    const envelope = await bytesOf(await app.fetch(post('/v1/encrypt', null)))
    const opened = await app.fetch(post('/v1/decrypt', envelope))
    expect(opened.status).toBe(200)
    expect(await bytesOf(opened)).toHaveLength(0)
  })

  it.each([
    ['objects, not bytes', undefined],
    ['bytes', 'bytes' as const],
  ])('reads a body that comes in many pieces, of %s', async (_, type) => {
    const { app } = setUp()
    const plaintext = sequence(100_000)
    let at = 0
    const body = new ReadableStream({
      ...(type !== undefined && { type }),
      pull(controller: ReadableStreamDefaultController | ReadableByteStreamController): void {
        if (at >= plaintext.length) {
          controller.close()
          if ('byobRequest' in controller) controller.byobRequest?.respond(0)
          return
        }
        controller.enqueue(plaintext.slice(at, at + 777))
        at += 777
      },
    } as unknown as UnderlyingDefaultSource)
    const envelope = await bytesOf(await app.fetch(post('/v1/encrypt', body)))
    const opened = await bytesOf(await app.fetch(post('/v1/decrypt', envelope)))
    expect(Buffer.compare(opened, plaintext)).toBe(0)
  })

  it('opens records too, and what the library made', async () => {
    const { app, cipher } = setUp()
    const plaintext = sequence(1_000)
    const record = await cipher.encrypt(plaintext, OPTIONS)
    expect(await bytesOf(await app.fetch(post('/v1/decrypt', record)))).toEqual(plaintext)
    const envelope = await bytesOf(await app.fetch(post('/v1/encrypt', plaintext)))
    const kinds = ['stream'] as const
    expect(await cipher.decrypt(envelope, { ...OPTIONS, kinds })).toEqual(plaintext)
  })

  it('opens only the kinds that it was given', async () => {
    const { app, cipher } = setUp(undefined, { kinds: ['stream'] })
    const answer = await app.fetch(post('/v1/decrypt', await cipher.encrypt(sequence(10), OPTIONS)))
    expect(answer.status).toBe(422)
    expect(await codeIn(answer)).toBe('ERR_WIRE_KIND_REFUSED')
  })

  it.each([
    ['another context', { ...MAPS, 'Edge-Kms-Context': '{"tenant":"b"}' }],
    ['no context', { 'Edge-Kms-Aad': MAPS['Edge-Kms-Aad'] }],
    ['another aad', { ...MAPS, 'Edge-Kms-Aad': '{"file":"b.txt"}' }],
    ['no aad', { 'Edge-Kms-Context': MAPS['Edge-Kms-Context'] }],
  ])('refuses %s with one answer, and no plaintext', async (_, headers) => {
    const { app } = setUp()
    const envelope = await bytesOf(await app.fetch(post('/v1/encrypt', sequence(500_000))))
    const answer = await app.fetch(post('/v1/decrypt', envelope, headers))
    expect(answer.status).toBe(422)
    expect(await answer.json()).toEqual({
      code: 'ERR_DECRYPT_FAILED',
      title: expect.any(String),
      status: 422,
      retryable: false,
    })
  })

  it('asks the KMS for nothing where the headers alone are at fault', async () => {
    const { app, kms } = setUp()
    await app.fetch(post('/v1/encrypt', sequence(10), { 'Edge-Kms-Context': '{' }))
    const other = setUp(new CountedKms(sequence(32)))
    const envelope = await bytesOf(await other.app.fetch(post('/v1/encrypt', sequence(10))))
    await app.fetch(post('/v1/decrypt', envelope, { 'Edge-Kms-Context': '{"tenant":"b"}' }))
    expect(kms.calls).toBe(0)
  })
})

describe('rewrap', () => {
  it('gives new wraps and the same body, whatever its size', async () => {
    const { app } = setUp()
    const plaintext = sequence(1_500_000)
    const envelope = await bytesOf(await app.fetch(post('/v1/encrypt', plaintext)))
    const context = { 'Edge-Kms-Context': MAPS['Edge-Kms-Context'] }
    const rewrapped = await bytesOf(await app.fetch(post('/v1/rewrap', envelope, context)))
    const [before, after] = [envelope, rewrapped].map((bytes) => EncryptedEnvelope.parse(bytes))
    expect(after!.wraps[0]!.wrapped).not.toEqual(before!.wraps[0]!.wrapped)
    const bodies = [envelope.subarray(before!.headBytes), rewrapped.subarray(after!.headBytes)]
    expect(Buffer.compare(bodies[0]!, bodies[1]!)).toBe(0)
    const opened = await bytesOf(await app.fetch(post('/v1/decrypt', rewrapped)))
    expect(Buffer.compare(opened, plaintext)).toBe(0)
  })

  it('never lends a buffer that the answer still holds', async () => {
    const { app } = setUp()
    const envelope = await bytesOf(await app.fetch(post('/v1/encrypt', sequence(2_000_000))))
    const context = { 'Edge-Kms-Context': MAPS['Edge-Kms-Context'] }
    const answer = await app.fetch(post('/v1/rewrap', envelope, context))
    // A server may hold pieces until a slow client takes them.
    const held: Uint8Array[] = []
    for await (const piece of answer.body!) held.push(piece)
    const head = EncryptedEnvelope.parse(envelope).headBytes
    expect(Buffer.compare(Buffer.concat(held).subarray(head), envelope.subarray(head))).toBe(0)
  })

  it('refuses an aad, which it could not check', async () => {
    const { app } = setUp()
    const envelope = await bytesOf(await app.fetch(post('/v1/encrypt', sequence(10))))
    const answer = await app.fetch(post('/v1/rewrap', envelope, MAPS))
    expect(answer.status).toBe(400)
    expect(await codeIn(answer)).toBe('ERR_GATEWAY_BAD_REQUEST')
  })
})

describe('inspect', () => {
  it('tells what the beginning of an envelope says, without the KMS', async () => {
    const { app } = setUp()
    const envelope = await bytesOf(await app.fetch(post('/v1/encrypt', sequence(500_000))))
    const fresh = setUp()
    for (const bytes of [envelope, envelope.subarray(0, 65_536)]) {
      const answer = await fresh.app.fetch(post('/v1/inspect', bytes, {}))
      expect(answer.headers.get('content-type')).toBe('application/json')
      expect(await answer.json()).toMatchObject({
        version: 1,
        kind: 'stream',
        storedContext: { tenant: 'acme' },
        wraps: [{ provider: 'local', kekId: 'app', kekVersion: '1' }],
        canOpen: true,
      })
    }
    expect(fresh.kms.calls).toBe(0)
  })

  it('answers from the beginning of a body, before the rest is sent', async () => {
    const { app } = setUp()
    const envelope = await bytesOf(await app.fetch(post('/v1/encrypt', sequence(200_000))))
    let sent = 0
    const body = new ReadableStream<Uint8Array>({
      pull(controller): void {
        controller.enqueue(sent === 0 ? envelope.slice(0, 16_384) : new Uint8Array(16_384))
        sent += 1
        if (sent === 100) controller.close()
      },
    })
    const answer = await app.fetch(post('/v1/inspect', body, {}))
    expect(answer.status).toBe(200)
    expect(sent).toBeLessThanOrEqual(6)
    expect(await answer.json()).toMatchObject({ kind: 'stream', canOpen: true })
  })

  it('says when no key is configured for it', async () => {
    const { cipher } = setUp()
    const envelope = await cipher.encrypt(sequence(1), OPTIONS)
    const other = { ...new CountedKms(), canUnwrap: () => false }
    const { app } = setUp(Object.assign(new CountedKms(), { canUnwrap: other.canUnwrap }))
    const answer = await app.fetch(post('/v1/inspect', envelope, {}))
    expect(await answer.json()).toMatchObject({ canOpen: false })
  })
})
