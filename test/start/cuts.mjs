import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { EncryptedEnvelope } from '../../src/index.ts'
import { mapHeaders } from './curl.mjs'

/** How curl asks: `-0` knows no chunks, so only a length tells it where an answer ends. */
/** @type {[string, string[]][]} */
const VERSIONS = [
  ['HTTP/1.0', ['-0']],
  ['HTTP/1.1', ['--http1.1']],
]

/**
 * Checks that a client notices a cut answer: the answer to an envelope that was tampered with or truncated
 * never looks complete.
 *
 * @param {Pick<import('./world.mjs').Report, 'check'>} report
 * @param {Pick<import('./world.mjs').World, 'curl'>} world
 * @param {string} url
 * @param {number} bytes of the largest plaintext
 */
export function checkCuts({ check }, world, url, bytes) {
  /**
   * @param {string} route
   * @param {Uint8Array} body
   * @param {readonly string[]} args
   * @param {Record<string, string>} [headers]
   */
  const call = (route, body, args, headers = mapHeaders()) =>
    world.curl(`${url}/v1/${route}`, { body, headers, args, opens: true })
  const seal = async (plaintext) => (await call('encrypt', plaintext, [])).body

  for (const [version, args] of VERSIONS) {
    void check(`${version}: answers state their length`, async () => {
      for (const size of [0, 1, 16_384, bytes]) {
        const plaintext = randomBytes(size)
        const sealed = await call('encrypt', plaintext, args)
        const context = { 'Edge-Kms-Context': mapHeaders()['Edge-Kms-Context'] }
        const moved = await call('rewrap', sealed.body, args, context)
        const opened = await call('decrypt', moved.body, args)
        for (const answer of [sealed, moved, opened]) {
          assert.deepEqual([answer.exitCode, answer.status], [0, 200])
          assert.match(answer.head, new RegExp(`^content-length: ${answer.body.length}\\r$`, 'im'))
        }
        assert.ok(opened.body.equals(plaintext))
      }
    })

    void check(`${version}: a tampered envelope never ends well`, async () => {
      for (const size of [1, 16_384, 32_768, bytes]) {
        const plaintext = randomBytes(size)
        const sealed = await seal(plaintext)
        const { headBytes } = EncryptedEnvelope.parse(sealed)
        for (const at of [headBytes + 60, (headBytes + sealed.length) >> 1, sealed.length - 1]) {
          const damaged = Buffer.from(sealed)
          damaged[at] ^= 1
          demandFailure(await call('decrypt', damaged, ['-f', ...args]), plaintext)
        }
      }
    })

    void check(`${version}: a truncated envelope never ends well`, async () => {
      for (const size of [1, 16_384, 32_768, bytes]) {
        const plaintext = randomBytes(size)
        const sealed = await seal(plaintext)
        for (const cut of [1, 16, 17, 20, 16_400, sealed.length >> 1]) {
          if (cut >= sealed.length) continue
          const short = sealed.subarray(0, sealed.length - cut)
          demandFailure(await call('decrypt', short, ['-f', ...args]), plaintext)
        }
      }
    })
  }

  void check('a body of unknown length that is tampered with never ends well', async () => {
    const plaintext = randomBytes(bytes)
    const sealed = await seal(plaintext)
    const chunked = ['-f', '-H', 'Transfer-Encoding: chunked']
    const opened = await call('decrypt', sealed, chunked)
    assert.deepEqual([opened.exitCode, opened.status], [0, 200])
    assert.ok(opened.body.equals(plaintext))
    for (const at of [sealed.length >> 1, sealed.length - 1]) {
      const damaged = Buffer.from(sealed)
      damaged[at] ^= 1
      demandFailure(await call('decrypt', damaged, chunked), plaintext)
    }
  })
}

/** curl fails, and what it wrote is a beginning of the plaintext and never all of it. */
function demandFailure({ exitCode, body }, plaintext) {
  assert.notEqual(exitCode, 0, 'curl saw a complete answer')
  assert.ok(body.length < plaintext.length, 'everything was released')
  assert.ok(body.equals(plaintext.subarray(0, body.length)))
}
