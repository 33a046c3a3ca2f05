/**
 * `npm run bench:lambda -- [--runs 31] [--gate]`: what a bundled function with AWS KMS adds to the init phase of Lambda,
 * over importing `node:http`, `node:https` and `node:crypto`. R41. See README.md one folder up.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import { node24, root, run, toolEnv } from '../../tools/lib/folders.mjs'
import { scratchFolder } from '../../tools/lib/pack.mjs'

/** The difference of the medians, in milliseconds. */
const MOST_MS = 10

/** The function: all that it does in its init phase. */
const FUNCTION = `
import { EnvelopeCipher } from 'edge-kms'
import { awsCredentialsFromEnv, createAwsKms } from 'edge-kms/aws-kms'
import { dynamoBatch, sqsBatch, withKms } from 'edge-kms/lambda'
import { createNodeNetwork, nodeAwsSigner } from 'edge-kms/node'

const options = {
  init: true,
  create: () => ({
    cipher: new EnvelopeCipher({
      kms: createAwsKms({
        keyId: 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
        credentials: async () => awsCredentialsFromEnv(process.env),
        network: createNodeNetwork(),
        signer: nodeAwsSigner,
      }),
    }),
  }),
}
const batch = { ...options, context: () => ({}), onError: console.error }
export const handler = withKms((event, context, { cipher }) => cipher.encryptText(event.body), options)
export const queue = sqsBatch(() => undefined, batch)
export const stream = dynamoBatch(() => undefined, { ...batch, attribute: 'card' })
`
const BARE = "import 'node:crypto'\nimport 'node:http'\nimport 'node:https'\n"

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '31' },
    gate: { type: 'boolean', default: false },
  },
})
const runs = Number(values.runs)
if (!Number.isInteger(runs) || runs < 15) {
  console.error('--runs must be an integer of at least 15')
  process.exit(2)
}

if (run(node24, ['tools/build.mjs']) !== 0) throw new Error('the build failed')
const folder = scratchFolder('bench-lambda')
const bundled = await build({
  stdin: { contents: FUNCTION, resolveDir: root, loader: 'js' },
  outfile: join(folder, 'function.mjs'),
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  metafile: true,
  logLevel: 'error',
})
const kib = (Object.values(bundled.metafile.outputs)[0]?.bytes ?? 0) / 1024
writeFileSync(join(folder, 'bare.mjs'), BARE)

/** Milliseconds that the import takes in a process that has loaded nothing else: by the clock, and of CPU. */
function importMs(name) {
  const code = `const start = performance.now()
const cpu = process.cpuUsage()
await import('./${name}.mjs')
const ms = performance.now() - start
const { user, system } = process.cpuUsage(cpu)
console.log(JSON.stringify([ms, (user + system) / 1_000]))
`
  writeFileSync(join(folder, 'main.mjs'), code)
  const done = spawnSync(node24, ['main.mjs'], { cwd: folder, env: toolEnv(), encoding: 'utf8' })
  if (done.status !== 0) throw new Error(done.stderr)
  return JSON.parse(done.stdout)
}

function quartiles(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b)
  return [0.25, 0.5, 0.75].map((part) => sorted[Math.floor((sorted.length - 1) * part)])
}

// Once each for the disk's cache.
importMs('function')
importMs('bare')
const ours = []
const bare = []
for (let i = 0; i < runs; i++) {
  ours.push(importMs('function'))
  bare.push(importMs('bare'))
}
/** Of the rounds' differences: a busy machine slows both sides of a round. */
const addedOf = (at) => quartiles(ours.map((figures, i) => figures[at] - bare[i][at]))
const [added, addedCpu] = [addedOf(0), addedOf(1)]
const wallOf = (side) => quartiles(side.map(([ms]) => ms))
const report = {
  at: new Date().toISOString(),
  runs,
  ours: wallOf(ours),
  bare: wallOf(bare),
  added,
  addedCpu,
}
const pass = added[1] <= MOST_MS
console.log(
  `init, median of ${runs}: function of ${kib.toFixed(0)} KiB ${report.ours[1].toFixed(1)} ms, modules alone ${report.bare[1].toFixed(1)} ms`,
)
console.log(
  `CPU added ${addedCpu[1].toFixed(1)} ms (quartiles ${addedCpu[0].toFixed(1)} to ${addedCpu[2].toFixed(1)})`,
)
console.log(
  `added ${added[1].toFixed(1)} ms (quartiles ${added[0].toFixed(1)} to ${added[2].toFixed(1)}), at most ${MOST_MS}: ${pass ? 'PASS' : 'MISS'}`,
)
mkdirSync(join(root, 'bench', 'results'), { recursive: true })
writeFileSync(join(root, 'bench', 'results', 'lambda.json'), `${JSON.stringify(report, null, 2)}\n`)
if (values.gate && !pass) process.exitCode = 1
