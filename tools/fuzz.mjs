/**
 * Fuzzes every parser with seeded inputs: only a KmsError is thrown, memory stays bounded.
 *
 *   npm run fuzz -- [--seed N] [--count N] [--from N]
 *
 * An input is made from the seed and its number alone: `--from N --count 1` plays one again.
 */
import { parseArgs } from 'node:util'
import { makeCorpus } from './fuzz/corpus.mjs'
import { Random } from './fuzz/random.mjs'
import { TARGETS, targetOf } from './fuzz/targets.mjs'
import { encodeTextForm } from '../src/wire/index.ts'

/** An input is at most some 64 KiB, so what is alive at once is far below it. */
const MOST_MEMORY = 256 * 2 ** 20
const SAMPLE_EVERY = 4_096
const MOST_DEFECTS_SHOWN = 10

const number = (name, text) => {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new TypeError(`--${name} must be a whole number`)
}
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 0x1_0000_0000) },
    count: { type: 'string', default: '1000000' },
    from: { type: 'string', default: '0' },
  },
})
const seed = number('seed', values.seed)
const count = number('count', values.count)
const from = number('from', values.from)
console.log(`fuzz: seed ${seed}, inputs ${from} to ${from + count - 1}`)

const world = await makeCorpus(seed)
for (const item of world.items) item.text = encodeTextForm(item.bytes)
const counts = TARGETS.map(({ name }) => ({ name, accepted: 0, refused: 0, defects: 0 }))
let peak = 0
let shown = 0
const started = performance.now()

for (let i = from; i < from + count; i++) {
  const random = new Random(seed, i)
  const target = targetOf(random)
  const row = counts[TARGETS.indexOf(target)]
  try {
    const outcome = target.run(random, world)
    // Most targets are synchronous: a turn of the event loop for each would cost more than they do.
    row[typeof outcome === 'string' ? outcome : await outcome] += 1
  } catch (error) {
    row.defects += 1
    if (++shown <= MOST_DEFECTS_SHOWN) {
      console.log(`DEFECT in ${target.name}: npm run fuzz -- --seed ${seed} --from ${i} --count 1`)
      console.log(error)
    }
  }
  if (i % SAMPLE_EVERY === 0) {
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    peak = Math.max(peak, heapUsed + arrayBuffers)
  }
}

let failed = 0
for (const { name, accepted, refused, defects } of counts) {
  // A target that accepts all or refuses all sees nothing.
  const blind = count >= 10_000 && (accepted === 0 || refused === 0)
  if (defects > 0 || blind) failed += 1
  console.log(
    `${name}: ${accepted} accepted, ${refused} refused, ${defects} defects${blind ? ', BLIND' : ''}`,
  )
}
if (peak > MOST_MEMORY) failed += 1
const seconds = ((performance.now() - started) / 1_000).toFixed(1)
console.log(`memory: ${(peak / 2 ** 20).toFixed(0)} MiB at most, ${seconds} s, seed ${seed}`)
console.log(`${counts.length + 1 - failed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
