/**
 * `npm run bench:lambda -- [--runs 31] [--gate]`: what a bundled function with AWS KMS adds to the init phase of Lambda,
 * over importing `node:http`, `node:https` and `node:crypto`. R41. See README.md one folder up.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { root } from '../../tools/lib/folders.mjs'
import { scratchFolder } from '../../tools/lib/pack.mjs'
import { keepReport } from '../lib/child.mjs'
import { byTurns, coldStartOptions, quartiles, runAlone } from '../lib/cold-start.mjs'

/** The difference of the medians, in milliseconds. */
const MOST_MS = 10

/** The function: all that it does in its init phase. */
const FUNCTION = `
import { EnvelopeCipher } from 'edge-kms'
import { awsCredentialsFromEnv, createAwsKms } from 'edge-kms/aws-kms'
import { dynamoBatch, sqsBatch, withKms } from 'edge-kms/lambda'
import { createNodeNetwork } from 'edge-kms/node'

const options = {
  init: true,
  create: () => ({
    cipher: new EnvelopeCipher({
      kms: createAwsKms({
        keyId: 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
        credentials: async () => awsCredentialsFromEnv(process.env),
        network: createNodeNetwork(),
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

const { runs, gate } = coldStartOptions()
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
const importMs = (name) =>
  runAlone(
    folder,
    `const start = performance.now()
const cpu = process.cpuUsage()
await import('./${name}.mjs')
const ms = performance.now() - start
const { user, system } = process.cpuUsage(cpu)
console.log(JSON.stringify([ms, (user + system) / 1_000]))
`,
  )

const [ours, bare] = byTurns(
  runs,
  () => importMs('function'),
  () => importMs('bare'),
)
/** Of the rounds' differences: a busy machine slows both sides of a round. */
const addedOf = (at) => quartiles(ours.map((figures, i) => figures[at] - bare[i][at]))
const [added, addedCpu] = [addedOf(0), addedOf(1)]
const wallOf = (side) => quartiles(side.map(([ms]) => ms))
const report = {
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
keepReport('lambda', report)
if (gate && !pass) process.exitCode = 1
