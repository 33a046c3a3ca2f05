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
/** The largest object may take so much more than the smallest: garbage, and pages that stay. */
const SLACK = 1.25
/** The peak of a process, MiB: workerd with R2 inside, or Node. */
const MOST_MIB = 512

let [passed, failed] = [0, 0]
/** @param {string} name @param {boolean} holds */
function check(name, holds) {
  if (holds) passed += 1
  else failed += 1
  if (!holds) console.log(`FAILED ${name}`)
}

/** @param {string} name @param {(mib: number) => Promise<any>} trip */
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
  check(`R40 ${name}: at most ${MOST_MIB} MiB`, Math.max(...peaks) <= MOST_MIB)
  check(`R40 ${name}: memory is flat`, (peaks.at(-1) ?? Infinity) <= (peaks[0] ?? 0) * SLACK)
}

async function overMoto() {
  const reason = await withTarget('moto', loadSdk(), async ({ endpoint, region, credentials }) => {
    const place = { endpoint, region, credentials }
    await createBucket(place, 'large')
    await measure('S3 (moto)', (mib) => largeOverS3(place, 'large', mib))
  })
  if (reason !== undefined) console.log(`skipped S3 (moto): ${reason}`)
}

console.log('store                    MiB   put s   get s   100 ranges s   peak MiB')
if (wanted('r2')) await measure('R2, known length', (mib) => largeOverR2(mib, true))
if (wanted('r2')) await measure('R2, unknown length', (mib) => largeOverR2(mib, false))
if (wanted('s3')) await overMoto()
console.log(`objects: ${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
