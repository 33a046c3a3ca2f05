import assert from 'node:assert/strict'
import { EncryptedEnvelope, EnvelopeCipher } from '../../src/index.ts'
import { createLocalKms } from '../../src/providers/local/index.ts'
import { mapHeaders } from './curl.mjs'
import { demandProblem, MARKER } from './world.mjs'

/**
 * Checks that tampered envelopes never open: a problem document before the first byte, a broken connection after it.
 * @param {import('./world.mjs').Report} report
 * @param {import('./world.mjs').World} world
 * @param {string} url
 */
export function checkTampering({ check }, world, url) {
  const small = Buffer.from(MARKER)
  /** Every chunk of it holds the marker. */
  const large = Buffer.alloc(6 * 1_048_576, `${MARKER} `)
  const seal = async (body) => (await world.curl(`${url}/v1/encrypt`, { body })).body
  /** @param {Uint8Array} body @param {Record<string, string>} [headers] */
  const open = (body, headers = mapHeaders()) => world.curl(`${url}/v1/decrypt`, { body, headers })

  /** @type {[string, Record<string, string>][]} */
  const others = [
    ['another context', mapHeaders({ context: '{"tenant":"other"}' })],
    ['no context', { 'Edge-Kms-Aad': '{"file":"README.md"}' }],
    ['another aad', mapHeaders({ aad: '{"file":"OTHER.md"}' })],
    ['no aad', { 'Edge-Kms-Context': '{"tenant":"acme"}' }],
  ]
  for (const [name, headers] of others) {
    void check(`${name} does not open`, async () => {
      for (const plaintext of [small, large]) {
        demandProblem(await open(await seal(plaintext), headers), 422, 'ERR_DECRYPT_FAILED')
      }
    })
  }

  void check('a byte flipped in the first chunk is a clean problem', async () => {
    for (const plaintext of [small, large]) {
      const sealed = await seal(plaintext)
      const { headBytes } = EncryptedEnvelope.parse(sealed)
      for (const at of [headBytes, headBytes + 20, headBytes + 60]) {
        demandProblem(await open(flipped(sealed, at)), 422, 'ERR_DECRYPT_FAILED')
      }
    }
  })

  void check('a byte flipped in the head opens nothing else', async () => {
    const sealed = await seal(small)
    const { headBytes } = EncryptedEnvelope.parse(sealed)
    for (let at = 0; at < headBytes; at += 7) {
      const call = { body: flipped(sealed, at), headers: mapHeaders(), opens: true }
      const { status, body } = await world.curl(`${url}/v1/decrypt`, call)
      // A wrap may be exchanged (that is what a rewrap does): the data key is proved by its commitment.
      const harmless = status === 200 && body.equals(small)
      const refused = status >= 400 && status < 500 && !body.includes(MARKER)
      assert.ok(harmless || refused, `byte ${at}: ${status}`)
    }
  })

  void check('a byte flipped late breaks the connection after a true beginning', async () => {
    const sealed = await seal(large)
    for (const at of [sealed.length >> 1, sealed.length - 100_000, sealed.length - 1]) {
      await demandBroken(flipped(sealed, at))
    }
  })

  void check('a stream that was cut late breaks the connection', async () => {
    const sealed = await seal(large)
    for (const cut of [sealed.length >> 1, 10_000]) {
      await demandBroken(sealed.subarray(0, sealed.length - cut))
    }
    // No stream is one byte shorter than a final chunk without plaintext: that is seen at once.
    demandProblem(await open(sealed.subarray(0, -1)), 422, 'ERR_DECRYPT_FAILED')
  })

  void check('broken streams are counted', async () => {
    const answer = await world.curl(`${url}/metrics`, { method: 'GET', headers: {} })
    const counted = /broken_streams_total\{route="decrypt",code="ERR_DECRYPT_FAILED"\} [1-9]/
    assert.match(answer.body.toString(), counted)
  })

  void check('an envelope that was cut early is a clean problem', async () => {
    const sealed = await seal(small)
    const { headBytes } = EncryptedEnvelope.parse(sealed)
    for (const bytes of [0, 1, 4, headBytes - 1]) {
      demandProblem(await open(sealed.subarray(0, bytes)), 400, 'ERR_WIRE_MALFORMED')
    }
    for (const bytes of [headBytes + 50, sealed.length - 1]) {
      demandProblem(await open(sealed.subarray(0, bytes)), 422, 'ERR_DECRYPT_FAILED')
    }
  })

  void check('what is not an envelope is malformed on every route that takes one', async () => {
    for (const route of ['decrypt', 'rewrap', 'inspect']) {
      const call = { body: Buffer.from(`${MARKER} is not an envelope`), headers: {} }
      demandProblem(await world.curl(`${url}/v1/${route}`, call), 400, 'ERR_WIRE_MALFORMED')
    }
  })

  void check('an envelope of a key that is not configured is an unknown key', async () => {
    const body = await elsewhere('another-app')
    demandProblem(await open(body), 422, 'ERR_ENVELOPE_UNKNOWN_KEY')
    const answer = await world.curl(`${url}/v1/inspect`, { body, headers: {} })
    assert.deepEqual([answer.status, JSON.parse(answer.body.toString()).canOpen], [200, false])
  })

  void check('an envelope of another key with the same name fails like any other', async () => {
    demandProblem(await open(await elsewhere('app')), 422, 'ERR_DECRYPT_FAILED')
  })

  async function demandBroken(body) {
    const answer = await world.curl(`${url}/v1/decrypt`, {
      body,
      headers: mapHeaders(),
      opens: true,
    })
    assert.notEqual(answer.exitCode, 0, 'curl saw a clean end')
    assert.equal(answer.status, 200)
    assert.ok(answer.body.length < large.length, 'everything was released')
    assert.ok(answer.body.equals(large.subarray(0, answer.body.length)))
  }
}

/** @param {Buffer} bytes @param {number} at */
function flipped(bytes, at) {
  const copy = Buffer.from(bytes)
  copy[at] ^= 1
  return copy
}

/** A record under a key that no gateway of this run has. @param {string} kekId */
async function elsewhere(kekId) {
  const kms = createLocalKms({
    kekId,
    versions: [{ version: 1, key: Buffer.from(Array.from({ length: 32 }, (_, i) => 7 * i)) }],
  })
  const maps = { context: { tenant: 'acme' }, aad: { file: 'README.md' } }
  return new EnvelopeCipher({ kms }).encrypt(Buffer.from(MARKER), maps)
}
