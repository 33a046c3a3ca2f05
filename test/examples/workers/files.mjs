/** Files in R2 through the vault: ranges, and what is refused. */
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { TOKENS } from './world.mjs'

const TENANT = 'eu-acme'
const PATH = '/files/report.txt'
const KEY = `${TENANT}/report.txt`
const TYPE = 'text/plain; charset=utf-8'
const bytes = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * 31 + (i >> 8)) & 255))

/** Sends the head of a request and half of its body, and hangs up. */
function cutUpload(/** @type {URL} */ url, /** @type {string} */ path) {
  return new Promise((resolve) => {
    const headers = { authorization: `Bearer ${TOKENS[TENANT]}`, 'content-length': bytes.length }
    const sent = request(new URL(path, url), { method: 'PUT', headers })
    sent.on('error', resolve)
    sent.write(bytes.subarray(0, bytes.length / 2), () => {
      setTimeout(() => {
        sent.destroy(new Error('cut'))
      }, 200)
    })
  })
}

/**
 * @param {import('./world.mjs').Report} report
 * @param {import('./world.mjs').World} world
 * @param {import('./world.mjs').App} app
 */
export async function checkFiles({ check }, { aws }, { fetch, bucket, url }) {
  await check('a file that another isolate wrote is read back whole', async () => {
    const got = await fetch(TENANT, PATH)
    assert.equal(got.headers.get('content-length'), String(bytes.length))
    assert.equal(got.headers.get('content-type'), TYPE)
    assert.ok(bytes.equals(Buffer.from(await got.arrayBuffer())))
  })

  await check(
    'a Range header is answered with 206 and those bytes, and no further unwrap',
    async () => {
      aws.forgetCalls()
      const last = bytes.length - 1
      const ranges = /** @type {const} */ ([
        ['bytes=0-0', 0, 0],
        ['bytes=65530-65545', 65_530, 65_545], // over the border of two chunks
        ['bytes=2999990-', 2_999_990, last],
        ['bytes=-100', last - 99, last],
        ['bytes=2999990-9999999', 2_999_990, last],
      ])
      for (const [range, from, to] of ranges) {
        const got = await fetch(TENANT, PATH, { headers: { range } })
        assert.equal(got.status, 206, range)
        assert.equal(got.headers.get('content-range'), `bytes ${from}-${to}/${bytes.length}`)
        assert.equal(got.headers.get('content-length'), String(to - from + 1))
        assert.ok(bytes.subarray(from, to + 1).equals(Buffer.from(await got.arrayBuffer())), range)
      }
      assert.equal(
        (await fetch(TENANT, PATH, { headers: { range: 'bytes=3000000-' } })).status,
        416,
      )
      for (const range of ['bytes=0-1,5-9', 'lines=1-2', 'bytes=9-1']) {
        const whole = await fetch(TENANT, PATH, { headers: { range } })
        assert.equal(whole.status, 200, range)
        assert.equal((await whole.arrayBuffer()).byteLength, bytes.length)
      }
      assert.equal(aws.count(), 0)
    },
  )

  await check(
    'R40 an upload that breaks off, or whose length is unknown, stores nothing',
    async () => {
      const key = `${TENANT}/cut.bin`
      await cutUpload(url, '/files/cut.bin')
      await new Promise((resolve) => setTimeout(resolve, 500))
      assert.equal(await bucket.head(key), null)
      assert.equal((await fetch(TENANT, '/files/cut.bin')).status, 404)
      const body = new Blob([bytes.subarray(0, 100)]).stream()
      const chunked = await fetch(TENANT, '/files/cut.bin', { method: 'PUT', body, duplex: 'half' })
      assert.equal(chunked.status, 411)
      assert.equal(await bucket.head(key), null)
    },
  )

  await check(
    'a file that was moved to another name or tenant, or changed, is refused',
    async () => {
      const { stored, customMetadata } = await storedFile(bucket)
      for (const key of [`${TENANT}/moved.txt`, 'eu-globex/report.txt'])
        await bucket.put(key, stored, { customMetadata })
      for (const answer of [
        await fetch(TENANT, '/files/moved.txt'),
        await fetch('eu-globex', PATH),
      ]) {
        assert.equal(answer.status, 500)
        assert.deepEqual(await answer.json(), { code: 'ERR_DECRYPT_FAILED' })
      }
      const changed = Buffer.from(stored)
      changed[2_000_000] = (changed[2_000_000] ?? 0) ^ 1
      await bucket.put(KEY, changed, { customMetadata })
      // Nothing that was read ends as a whole file.
      await assert.rejects(async () => (await fetch(TENANT, PATH)).arrayBuffer())
      await bucket.put(KEY, stored, { customMetadata })
      assert.equal((await (await fetch(TENANT, PATH)).arrayBuffer()).byteLength, bytes.length)
    },
  )
}

/**
 * Writes the file that the other checks read.
 *
 * @param {import('./world.mjs').Report} report
 * @param {import('./world.mjs').App} app
 */
export async function checkUpload({ check }, { fetch, bucket }) {
  await check('a file goes to R2 as an envelope', async () => {
    const headers = { 'content-type': TYPE }
    assert.equal((await fetch(TENANT, PATH, { method: 'PUT', body: bytes, headers })).status, 201)
    const { stored } = await storedFile(bucket)
    assert.ok(stored.length > bytes.length)
    assert.ok(!stored.includes(bytes.subarray(1_000, 1_032)))
  })
}

/** @param {import('./world.mjs').App['bucket']} bucket */
async function storedFile(bucket) {
  const object = await bucket.get(KEY)
  assert.ok(object)
  const { customMetadata = {} } = object
  return { stored: Buffer.from(await object.arrayBuffer()), customMetadata }
}
