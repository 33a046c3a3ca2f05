// A body that code makes may hold any kind of buffer: none may be lost without an error.
import { expect, it } from 'vitest'
import { createGateway } from '../../../adapters/gateway/index.ts'
import { utf8 } from '../../vectors/hex.ts'
import { localKms, setUp } from '../wire/fixture.ts'

const kms = localKms()
const { cipher } = setUp({ kms })
const gateway = createGateway({ cipher, kms })

async function encrypt(...pieces: readonly unknown[]): Promise<Response> {
  const body = new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece)
      controller.close()
    },
  })
  const init = { method: 'POST', body, duplex: 'half' }
  return gateway.fetch(new Request('http://localhost/v1/encrypt', init))
}

it('takes each kind of buffer as its bytes', async () => {
  const wide = new Uint8Array([0, ...utf8('wide'), 0])
  const answer = await encrypt(
    utf8('kept, '),
    utf8('buffer, ').buffer,
    new DataView(utf8('view, ').buffer),
    new Uint8Array(wide.buffer, 1, 4),
    new Uint16Array(utf8('!!').buffer),
  )
  expect(answer.status).toBe(200)
  const envelope = new Uint8Array(await answer.arrayBuffer())
  const plaintext = await cipher.decrypt(envelope, { kinds: ['stream'] })
  expect(new TextDecoder().decode(plaintext)).toBe('kept, buffer, view, wide!!')
})

it.each([['text'], [7], [{}], [[1, 2]], [null]])(
  'refuses a piece that is not bytes: %j',
  async (piece) => {
    const answer = await encrypt(piece)
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ code: 'ERR_GATEWAY_BAD_REQUEST' })
    // Once the answer has begun it breaks off.
    const begun = await encrypt(utf8('kept'), piece)
    await expect(begun.arrayBuffer()).rejects.toThrow()
  },
)
