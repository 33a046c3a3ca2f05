/**
 * `node test/scale/objects.mjs [r2|s3] [MiB …]`: objects of 256 and 1,024 MiB through `EncryptedBucket` to R2 and to moto's
 * S3, back whole and by 100 ranges. R40: memory does not grow with the object.
 */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { node24, root, toolEnv } from '../../tools/lib/folders.mjs'
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
/** The most that the largest object may take more than the smallest, MiB: Node collects garbage late. */
const SLACK_MIB = 64
/** The most that the library may add to R2's simulation in the same workerd, MiB. Both grow there with the object. */
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
  }
}

/** The library alone, over a store that drops what it gets. */
function overNothing() {
  const program = join(root, 'test/scale/objects-dropped.mjs')
  const [first, last] = [256, 2_048].map((mib) => {
    const peak = Number(execFileSync(node24, [program, String(mib)], { env: toolEnv() }))
    console.log(
      'dropped, in parts'.padEnd(22) + String(mib).padStart(6) + String(peak).padStart(34),
    )
    return peak
  })
  check('R40 the library alone: memory is flat', (last ?? Infinity) - (first ?? 0) <= SLACK_MIB)
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
overNothing()
if (wanted('r2')) await overR2()
if (wanted('s3')) await overMoto()
console.log(`objects: ${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
