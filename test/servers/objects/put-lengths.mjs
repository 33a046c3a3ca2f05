/** Every way to write an object over S3, on any runtime: for a front that notes how each request states its length. */
import { s3Bucket } from '../../../adapters/objects/index.ts'
import { bucketOf, plaintextOf, readAll, streamOf } from '../../support/objects/world.ts'

/**
 * @param {import('./world.mjs').Place} place
 * @param {string} bucket
 * @param {string} folder the first part of the objects' keys
 */
export async function putInEveryWay(place, bucket, folder) {
  const store = s3Bucket({ ...place, bucket, allowHttpLoopback: true, timeoutMs: 60_000 })
  const files = bucketOf({ store })
  const bytes = plaintextOf(11_000_000)
  await files.put(`${folder}/small`, 'small')
  await files.put(`${folder}/empty`, '')
  await files.put(`${folder}/unknown`, streamOf(bytes))
  await files.put(`${folder}/known`, streamOf(bytes), { plaintextBytes: bytes.length })
  for (const name of ['unknown', 'known']) {
    const read = await readAll(files, `${folder}/${name}`)
    if (read?.length !== bytes.length) throw new Error(`${name} did not come back`)
  }
  await files.rewrap(`${folder}/known`)
}
