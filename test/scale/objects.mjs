/**
 * `node test/scale/objects.mjs [r2|s3] [MiB …]`: objects of 256 and 1,024 MiB through `EncryptedBucket` to R2 and to moto's
 * S3, back whole and by 100 ranges. R40: memory does not grow with the object.
 */
import { loadSdk } from '../servers/aws/clients.mjs'
import { withTarget } from '../servers/aws/targets.mjs'
import { largeOverS3 } from '../servers/objects/large.mjs'
import { createBucket } from '../servers/objects/world.mjs'
import { largeOverR2 } from './objects-r2.mjs'

const stores = process.argv.slice(2).filter((arg) => /^(?:r2|s3)$/.test(arg))
const asked = process.argv
  .slice(2)
  .map(Number)
  .filter((mib) => mib > 0)
const wanted = (store) => stores.length === 0 || stores.includes(store)
const sizes = asked.length === 0 ? [256, 1_024] : asked
/** What the largest object may take more than the smallest, MiB: workerd and Node collect garbage late. */
const SLACK_MIB = 192
/** What the library may add to what R2's simulation takes in the same workerd, MiB: it grows with the object. */
const ADDED_MIB = 256

let [passed, failed] = [0, 0]
/** @param {string} name @param {boolean} holds */
function check(name, holds) {
  if (holds) passed += 1
  else failed += 1
  if (!holds) console.log(`FAILED ${name}`)
}

/**
 * Returns the peak for each size.
 *
 * @param {string} name
 * @param {(mib: number) => Promise<import('../support/objects/large.ts').LargeResult & { peakMiB: number }>} trip
 */
async function measure(name, trip) {
  const peaks = []
  for (const mib of sizes) {
    const { putMs, getMs, rangesMs, peakMiB } = await trip(mib)
    const times = [putMs, getMs, rangesMs].map((ms) => (ms / 1_000).toFixed(1).padStart(8))
    console.log(
      name.padEnd(22) + String(mib).padStart(6) + times.join('') + peakMiB.toFixed(0).padStart(10),
    )
    check(`R40 ${name}: ${mib} MiB came back`, true)
    peaks.push(peakMiB)
  }
  return peaks
}

async function overR2() {
  const ways = /** @type {const} */ ({ known: 'plain', unknown: 'plain-parts' })
  for (const way of /** @type {const} */ (['known', 'unknown'])) {
    const bare = ways[way]
    const plain = await measure(`R2, ${bare}`, (mib) => largeOverR2(mib, bare))
    const name = `R2, ${way} length`
    const added = (await measure(name, (mib) => largeOverR2(mib, way))).map(
      (peak, index) => peak - (plain[index] ?? 0),
    )
    check(`R40 ${name}: at most ${ADDED_MIB} MiB added`, Math.max(...added) <= ADDED_MIB)
    const grown = (added.at(-1) ?? Infinity) - (added[0] ?? 0)
    check(`R40 ${name}: memory is flat`, grown <= SLACK_MIB)
  }
}

async function overMoto() {
  const reason = await withTarget('moto', loadSdk(), async ({ endpoint, region, credentials }) => {
    const place = { endpoint, region, credentials }
    await createBucket(place, 'large')
    const peaks = await measure('S3 (moto)', (mib) => largeOverS3(place, 'large', mib))
    const grown = (peaks.at(-1) ?? Infinity) - (peaks[0] ?? 0)
    check('R40 S3 (moto): memory is flat', grown <= SLACK_MIB)
  })
  if (reason !== undefined) console.log(`skipped S3 (moto): ${reason}`)
}

console.log('store                    MiB   put s   get s   100 ranges s   peak MiB')
if (wanted('r2')) await overR2()
if (wanted('s3')) await overMoto()
console.log(`objects: ${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
