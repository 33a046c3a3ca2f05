/** A rotation's source of objects over S3's API. */
import { AwsClient } from 'aws4fetch'
import { s3Bucket } from '../../../adapters/objects/index.ts'
import { pathOfKey } from '../../../adapters/objects/object-key.ts'
import { objectSourceContract } from '../../../src/testing/index.ts'
import { listedCases } from '../../support/rotation/objects-cases.ts'
import { objectsWorld } from '../../support/rotation/objects-world.ts'
import { createBucket, s3World } from './world.mjs'

let buckets = 0

/**
 * A bucket of its own.
 *
 * @returns {Promise<import('../../support/rotation/objects-world.ts').ListedBucket>}
 */
async function listedBucket(place) {
  const bucket = `listed-${++buckets}`
  await createBucket(place, bucket)
  const { endpoint, region, credentials } = place
  const client = new AwsClient({ ...credentials, region, service: 's3', retries: 0 })
  const world = s3World(place, bucket)
  return {
    store: world.store,
    writeRaw: (key, raw) => world.writeRaw(key, raw),
    broken: s3Bucket({ ...place, bucket, endpoint: 'http://127.0.0.1:9', allowHttpLoopback: true }),
    async remove(key) {
      const url = `${endpoint}/${bucket}/${pathOfKey(key)}`
      const { ok } = await client.fetch(url, { method: 'DELETE' })
      if (!ok) throw new Error('not deleted')
    },
  }
}

/**
 * @param {(what: string, work: () => Promise<void>) => Promise<void>} check
 * @param {import('./world.mjs').Place} place
 * @param {(work: () => Promise<void>) => Promise<void>} unchecked - for keys that moto signs otherwise than AWS
 */
export async function checkSources(check, place, unchecked) {
  const create = async () => objectsWorld(await listedBucket(place))
  for (const { name, run } of objectSourceContract({ create })) {
    const isEscaped = name.includes('any text')
    await check(`source of objects ${name}`, isEscaped ? () => unchecked(run) : run)
  }
  for (const one of listedCases) {
    const { name } = one
    // A prefix with a slash is escaped in the query, which moto signs otherwise than AWS too.
    await check(`source of objects ${name}`, async () => {
      const bucket = await listedBucket(place)
      await (name.includes('prefix') ? unchecked(() => one.run(bucket)) : one.run(bucket))
    })
  }
}
