/** `EncryptedBucket` over S3's API against moto, whose signatures and policies are on. */
import assert from 'node:assert/strict'
import { s3Bucket } from '../../../adapters/objects/index.ts'
import { createNodeNetwork } from '../../../adapters/node/index.ts'
import { isKmsError } from '../../../src/errors.ts'
import { objectCases } from '../../support/objects/cases.ts'
import { largeOverR2 } from '../../scale/objects-r2.mjs'
import { bucketOf, plaintextOf, readAll, streamOf } from '../../support/objects/world.ts'
import { loadSdk } from '../aws/clients.mjs'
import { withTarget } from '../aws/targets.mjs'
import { openRecordingFront } from './recording-front.mjs'
import { largeOverS3 } from './large.mjs'
import { checkRuntimes } from './runtimes.mjs'
import { checkSources } from './sources.mjs'
import { createBucket, s3World } from './world.mjs'

const names = ['moto']
const bucket = 'files'

/**
 * moto signs the unescaped path, so it refuses every key that has to be escaped, as AWS does not: the escaping is proven
 * by AWS's own example in test/unit/objects/s3-signature.test.ts. Here these requests pass unchecked.
 */
const ESCAPED_KEYS = 'keys of every script reach the object that they name'

/** Lets so many requests pass unchecked. */
async function passUnchecked(endpoint, requests) {
  const headers = { 'content-type': 'text/plain' }
  const body = String(requests)
  const answer = await fetch(`${endpoint}/moto-api/reset-auth`, { method: 'POST', headers, body })
  assert.ok(answer.ok, `moto did not open its window: ${answer.status}`)
}

async function checkCases(check, place) {
  for (const [index, one] of objectCases.entries()) {
    const { name } = one
    await check(name, async () => {
      if (name === ESCAPED_KEYS) await passUnchecked(place.endpoint, 1_000)
      await one.run(s3World(place, bucket), `acme/${index}`)
      if (name === ESCAPED_KEYS) await passUnchecked(place.endpoint, 0)
    })
  }
}

/** Every request that carries something says how long it is: real S3 answers 411 to chunked ones. */
function demandLengths(noted) {
  const uploads = noted.filter(({ method }) => method === 'PUT' || method === 'POST')
  assert.ok(uploads.length > 0, 'nothing was sent')
  for (const { method, url, length, coding } of uploads) {
    assert.match(length ?? 'none', /^\d+$/, `the Content-Length of ${method} ${url}`)
    assert.equal(coding, undefined, `the Transfer-Encoding of ${method} ${url}`)
  }
}

async function checkNetworks(check, place) {
  const network = createNodeNetwork()
  const ways = { fetch: {}, 'node:http': { network } }
  for (const [name, options] of Object.entries(ways)) {
    await check(`R40 every upload request states its Content-Length over ${name}`, async () => {
      const world = s3World(place, bucket, options)
      const files = bucketOf(world)
      const bytes = plaintextOf(11_000_000)
      await files.put('length/small', 'small')
      await files.put('length/unknown', streamOf(bytes))
      await files.put('length/known', streamOf(bytes), { plaintextBytes: bytes.length })
      assert.deepEqual(await readAll(files, 'length/unknown'), bytes)
      assert.deepEqual(await readAll(files, 'length/known'), bytes)
      await files.rewrap('length/known')
    })
  }
  network.close()
}

/** Checks, in the time of the gate, what `.ci/long` repeats with 1 GiB. */
async function checkLarge(check, place) {
  await check('R40 256 MiB to S3 come back whole and by 100 ranges within 512 MiB', async () => {
    const { peakMiB } = await largeOverS3(place, bucket, 256)
    assert.ok(peakMiB <= 512, `${peakMiB} MiB`)
  })
  await check('R40 256 MiB to R2 come back whole and by 100 ranges within 512 MiB', async () => {
    const { peakMiB } = await largeOverR2(256, 'known')
    assert.ok(peakMiB <= 512, `${peakMiB} MiB`)
  })
}

async function checkRefusals(check, place, encryptOnly) {
  const put = (more) =>
    bucketOf({ store: s3Bucket({ bucket, allowHttpLoopback: true, ...place, ...more }) }).put(
      'refused/a',
      'x',
    )
  await check('a bucket that is not there is an error of the configuration', () =>
    assert.rejects(put({ bucket: 'none-such' }), (error) => isKmsError(error, 'ERR_KMS_CONFIG')),
  )
  await check('a user without the permission is refused', () =>
    assert.rejects(put({ credentials: encryptOnly }), (error) => {
      assert.ok(isKmsError(error, 'ERR_STORE_UNAVAILABLE'))
      assert.equal(error.retryable, false)
      assert.match(error.message, /AccessDenied/)
      return true
    }),
  )
  await check('a wrong secret is refused and shown to nobody', () => {
    const secretAccessKey = 'a-secret-that-is-wrong'
    const credentials = { ...place.credentials, secretAccessKey }
    return assert.rejects(put({ credentials }), (error) => {
      assert.ok(isKmsError(error, 'ERR_STORE_UNAVAILABLE'))
      assert.ok(!JSON.stringify([error, error.message, error.stack]).includes(secretAccessKey))
      return !error.retryable
    })
  })
}

/** @param {{ report: ReturnType<typeof import('../lib/report.mjs').createReport>, only?: readonly string[] }} options */
export async function runLane({ report, only = names }) {
  const sdk = loadSdk()
  for (const server of only) {
    const check = (what, work) => report.check(`objects/${server} ${what}`, work)
    const missing = await withTarget(server, sdk, async ({ endpoint, ...target }) => {
      const { region, credentials, encryptOnly } = target
      const front = await openRecordingFront(endpoint)
      try {
        const place = { endpoint: front.url, region, credentials }
        await createBucket(place, bucket)
        front.noted.length = 0
        await checkNetworks(check, place)
        await checkRuntimes(check, place, bucket, (folder) => {
          demandLengths(front.noted.filter(({ url }) => url.includes(`/${folder}/`)))
        })
        await checkCases(check, place)
        await checkSources(check, { endpoint, region, credentials }, async (work) => {
          await passUnchecked(endpoint, 1_000)
          await work().finally(() => passUnchecked(endpoint, 0))
        })
        await checkLarge(check, place)
        await checkRefusals(check, place, encryptOnly)
        await check('R40 every request of the lane that uploads states its Content-Length', () =>
          demandLengths(front.noted),
        )
      } finally {
        await front.close()
      }
    })
    if (missing !== undefined) report.skip(`objects/${server}`, missing)
  }
}
