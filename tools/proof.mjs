/**
 * `npm run proof [folder]`: runs the lanes of runtimes, servers and Workers' stores and writes docs/proof.md
 * from what they saw. With a folder that an earlier run filled, only writes.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { binOf, node24, root, run } from './lib/folders.mjs'
import { findChromium } from './servers/chromium.mjs'
import { keepProof } from './lib/proof.mjs'
import {
  byRuntime,
  byServer,
  byServerAndRuntime,
  byStore,
  byWriterAndReader,
  faults,
} from './lib/proof-tables.mjs'

const folder = process.argv[2] ?? collect()
const parts = new Map(
  readdirSync(folder).map((file) => [
    file.replace(/\.json$/, ''),
    JSON.parse(readFileSync(join(folder, file), 'utf8')),
  ]),
)

function collect() {
  const into = mkdtempSync(join(tmpdir(), 'edge-kms-proof-'))
  process.env['EDGE_KMS_PROOF'] = into
  const failed = [
    'test/runtime/runners/run.mjs',
    'test/browser/run.mjs',
    'test/servers/run.mjs',
  ].filter((lane) => run(node24, [join(root, lane)]) !== 0)
  if (!workersStores(join(into, '..', `${process.pid}.vitest.json`)))
    failed.push('stores on workerd')
  if (failed.length > 0) throw new Error(`nothing is proved by lanes that fail: ${failed.join()}`)
  return into
}

/** The stores of Workers are run by `npm test`: this part of it once more. */
function workersStores(file) {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  const args = ['run', 'test/workerd/stores.test.ts', '--reporter=json', `--outputFile=${file}`]
  const passed = run(node24, [vitest, ...args]) === 0
  const states = { passed: 'passed', failed: 'failed' }
  const tests = JSON.parse(readFileSync(file, 'utf8')).testResults.flatMap(
    ({ assertionResults }) => assertionResults,
  )
  keepProof(
    'workers-stores',
    tests.map(({ ancestorTitles, title, status }) => {
      const [, what = '', store = ''] =
        /^contract: (.*?) on (.*)$/.exec(ancestorTitles[0] ?? '') ?? []
      const part = what.endsWith('store') ? what : 'shared state'
      return { name: `${store} | ${part} ${title}`, state: states[status] ?? 'skipped' }
    }),
  )
  return passed
}

/** Returns the versions that the runtimes report. */
function versions() {
  const said = (command) =>
    /\d+\.\d+\.\d+/.exec(execFileSync(command, ['--version'], { encoding: 'utf8' }))?.[0]
  const { version } = JSON.parse(
    readFileSync(join(root, 'node_modules/workerd/package.json'), 'utf8'),
  )
  return {
    node22: said(binOf('runtimes/node22', 'node')),
    node24: said(node24),
    workerd: version,
    deno: said(binOf('runtimes/deno', 'deno')),
    bun: said(binOf('runtimes/bun', 'bun')),
    chromium: chromiumVersion(),
  }
}

/** Its lane is skipped on a machine without it. */
function chromiumVersion() {
  try {
    return findChromium().version
  } catch {
    return undefined
  }
}

const text = `# Tested environments

Written by \`npm run proof\` from what the lanes saw: tests that passed, and those that failed where one did. An empty cell was not run; where one says
"skipped", a capability rules the case out, and the lane prints which.

## Providers on runtimes

The packed package, over the fakes of \`edge-kms/testing\` (the local provider over nothing): the contract suite, and
tests of the provider's own. In Chromium, with \`dangerouslyAllowBrowser\`, and beside them the journeys of
[the guide](guides/browsers.md#tests).

${byRuntime(parts, versions())}

## Providers on runtimes, against servers that others wrote

The packed package over loopback: the contract suite, and cases of a cipher and of the provider (\`test/platforms\`).
Azure has no such server. No vendor's cloud was asked: \`npm run test:live\` runs the same suite against accounts of yours.

${byServerAndRuntime(parts)}

## Data between runtimes

Each cell is what the runtime of its column opened, rewrapped and opened again of what the runtime of its row wrote:
records, texts, streams and references, under a local KEK and one of the fake of AWS. Rewrapped data went around once more.

${byWriterAndReader(parts)}

## Stores

The stores of Workers are run by \`npm test\`, in workerd; the others by the lanes of runtimes and servers.

${byStore(parts)}

## Servers that others wrote, and the vendors' own clients

On Node 24, at ${parts.get('servers')?.at.slice(0, 16).replace('T', ' ') ?? 'no time'} UTC. \`fake\` is ours, judged by the vendor's own client. No vendor's cloud was asked.

${byServer(parts)}

## Faults on the network

Between the whole stack and those servers, by a proxy that delays, cuts and blacks out.

${faults(parts)}
`
writeFileSync(join(root, 'docs/proof.md'), text)
run(node24, [join(root, 'tools/with.mjs'), 'lint', 'prettier', '--write', 'docs/proof.md'])
