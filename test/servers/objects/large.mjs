/** Large objects to moto's S3, each from a process of its own. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const child = fileURLToPath(new URL('large.child.mjs', import.meta.url))

/**
 * @param {import('./world.mjs').Place} place
 * @param {string} bucket
 * @param {number} mib
 * @returns {Promise<import('../../support/objects/large.ts').LargeResult & { peakMiB: number }>}
 */
export async function largeOverS3(place, bucket, mib) {
  const input = JSON.stringify({ place, bucket, mib })
  const { stdout } = await promisify(execFile)(process.execPath, [child, input])
  return JSON.parse(stdout)
}
