/** A bucket of moto's S3 seen past the library: by aws4fetch alone. */
import { AwsClient } from 'aws4fetch'
import { s3Bucket } from '../../../adapters/objects/index.ts'
import { escapeAll, pathOfKey } from '../../../adapters/objects/object-key.ts'

/**
 * @typedef {object} Place
 * @property {string} endpoint
 * @property {string} region
 * @property {{ accessKeyId: string, secretAccessKey: string }} credentials
 *
 * @param {Place} place
 * @param {string} bucket
 */
export async function createBucket({ endpoint, region, credentials }, bucket) {
  const client = new AwsClient({ ...credentials, region, service: 's3', retries: 0 })
  const answer = await client.fetch(`${endpoint}/${bucket}`, { method: 'PUT' })
  if (!answer.ok) throw new Error(`no bucket: ${answer.status} ${await answer.text()}`)
}

/**
 * @param {Place} place
 * @param {string} bucket
 * @param {object} [options] of `s3Bucket`
 * @returns {import('../../support/objects/world.ts').ObjectWorld}
 */
export function s3World({ endpoint, region, credentials }, bucket, options = {}) {
  const client = new AwsClient({ ...credentials, region, service: 's3', retries: 0 })
  const urlOf = (key) => `${endpoint}/${bucket}/${pathOfKey(key)}`
  const place = { bucket, region, endpoint, credentials, allowHttpLoopback: true }
  return {
    store: s3Bucket({ ...place, timeoutMs: 60_000, ...options }),
    swapsUploads: false,
    async readRaw(key) {
      const answer = await client.fetch(urlOf(key))
      const bytes = new Uint8Array(await answer.arrayBuffer())
      if (answer.status === 404) return undefined
      const prefix = 'x-amz-meta-'
      const metadata = [...answer.headers]
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, value]) => [name.slice(prefix.length), value])
      return { bytes, metadata: Object.fromEntries(metadata) }
    },
    async writeRaw(key, { bytes, metadata }) {
      const headers = Object.entries(metadata).map(([name, value]) => [`x-amz-meta-${name}`, value])
      const answer = await client.fetch(urlOf(key), {
        method: 'PUT',
        headers: Object.fromEntries(headers),
        body: new Uint8Array(bytes),
      })
      if (!answer.ok) throw new Error(`not written: ${answer.status}`)
    },
    async pendingUploads() {
      const answer = await client.fetch(`${endpoint}/${bucket}?uploads=${escapeAll('')}`)
      if (!answer.ok) throw new Error(`no list of uploads: ${answer.status}`)
      return (await answer.text()).split('<UploadId>').length - 1
    },
  }
}
