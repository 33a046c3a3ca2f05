/**
 * `npm run proof [folder]`: runs the runtimes and the servers lane and writes docs/proof.md from what they
 * saw. With a folder that an earlier run filled, only writes.
 */
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { node24, root, run } from './lib/folders.mjs'

/** Every provider of the package; a row without a figure is a gap that is to be seen. */
const PROVIDERS = ['local', 'aws-kms', 'gcp-kms', 'azure-key-vault', 'vault-transit']
const RUNTIMES = ['node22', 'node24', 'workerd', 'deno', 'bun']
const STORES =
  'memory store|memory|workers-kv|durable-object|cache-api|d1|redis-tcp|redis-http|deno-kv'

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
  const failed = ['test/runtime/runners/run.mjs', 'test/servers/run.mjs'].filter(
    (lane) => run(node24, [join(root, lane)]) !== 0,
  )
  if (failed.length > 0) throw new Error(`nothing is proved by lanes that fail: ${failed.join()}`)
  return into
}

/** `12`, or `12 (1 skipped)`, or nothing where nothing was run. */
function cell(rows = []) {
  const of = (state) => rows.filter((row) => row.state === state).length
  if (rows.length === 0) return ''
  return of('skipped') === 0 ? String(of('passed')) : `${of('passed')} (${of('skipped')} skipped)`
}

const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')

function byRuntime() {
  const rowsOf = (runtime, provider) =>
    parts.get(`runtime-${runtime}`)?.filter(({ name }) => name.includes(` ${provider}: `))
  return table(
    ['provider', ...RUNTIMES],
    PROVIDERS.map((name) => [`\`${name}\``, ...RUNTIMES.map((one) => cell(rowsOf(one, name)))]),
  )
}

/** Checks of the servers lane are called `vendor/server …`; those of our own provider name its file. */
function byServer() {
  const checked = parts.get('servers') ?? []
  const names = new Set(checked.map(({ name }) => name.split(' ')[0]))
  const rows = [...names]
    .filter((name) => name.includes('/'))
    .sort()
    .map((server) => [server, checked.filter(({ name }) => name.startsWith(`${server} `))])
  const ours = (checks) => checks.filter(({ name }) => /\.mjs /.test(name))
  return table(
    ['server', 'checks of our code', "checks of the vendor's own client and of the fake"],
    rows.map(([name, checks]) => {
      const own = ours(checks)
      return [`\`${name}\``, cell(own), cell(checks.filter((one) => !own.includes(one)))]
    }),
  )
}

function byStore() {
  const pattern = new RegExp(`^contract, (${STORES}): `)
  const stores = new Map()
  for (const runtime of RUNTIMES)
    for (const row of parts.get(`runtime-${runtime}`) ?? []) {
      const store = pattern.exec(row.name)?.[1]
      if (store === undefined) continue
      if (!stores.has(store)) stores.set(store, {})
      ;(stores.get(store)[runtime] ??= []).push(row)
    }
  return table(
    ['store', ...RUNTIMES],
    [...stores].map(([name, rows]) => [name, ...RUNTIMES.map((one) => cell(rows[one]))]),
  )
}

const text = `# What was run, where

Written by \`npm run proof\` on ${new Date().toISOString().slice(0, 10)} from what the lanes saw: tests that passed. An empty
cell was not run.

## Providers on runtimes

The packed package, over the fakes of \`edge-kms/testing\` (the local provider over nothing): the contract
suite, and tests of the provider's own.

${byRuntime()}

## Stores on runtimes

${byStore()}

## Servers that others wrote, and the vendors' own clients

On Node 24. \`fake\` is ours, judged by the vendor's own client. No vendor's cloud was asked.

${byServer()}
`
writeFileSync(join(root, 'docs/proof.md'), text)
run(node24, [join(root, 'tools/with.mjs'), 'lint', 'prettier', '--write', 'docs/proof.md'])
