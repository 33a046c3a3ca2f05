/**
 * The tables of docs/proof.md, made of what the lanes saw. A cell that nothing was run for is empty.
 *
 * @typedef {import('./proof.mjs').ProofPart} ProofPart
 * @typedef {import('./proof.mjs').ProofRow} ProofRow
 * @typedef {ReadonlyMap<string, ProofPart>} Parts
 */

/** Every provider of the package; a row without a figure is a gap that is to be seen. */
const PROVIDERS = ['local', 'aws-kms', 'gcp-kms', 'azure-key-vault', 'vault-transit']
/** Part, and what it is called above a column. */
const RUNTIMES = ['node22', 'node24', 'workerd', 'deno', 'bun', 'lambda', 'chromium']

/** `12`, or `12 (1 skipped)`, or nothing where nothing was run. It also names failures. @param {readonly ProofRow[]} rows */
function cell(rows = []) {
  const of = (state) => rows.filter((row) => row.state === state).length
  if (rows.length === 0) return ''
  const others = ['failed', 'skipped'].flatMap((state) =>
    of(state) === 0 ? [] : `${of(state)} ${state}`,
  )
  return others.length === 0 ? String(of('passed')) : `${of('passed')} (${others.join(', ')})`
}

const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')

/** When a lane was run, to the minute. @param {ProofPart | undefined} part */
const timeOf = (part) => (part === undefined ? '' : `${part.at.slice(0, 16).replace('T', ' ')} UTC`)

/**
 * @param {Parts} parts
 * @param {Readonly<Record<string, string | undefined>>} versions of the runtimes
 */
export function byRuntime(parts, versions) {
  const rowsOf = (runtime, test) =>
    (parts.get(`runtime-${runtime}`)?.rows ?? []).filter(({ name }) => test.test(name))
  const line = (title, test) => [title, ...RUNTIMES.map((one) => cell(rowsOf(one, test)))]
  const ofProvider = (name) => new RegExp(`^(?:contract,|(?:R\\d+ )+)\\s*${name}(?: [^:]+)?: `)
  const others = new RegExp(`^(?!contract,|(?:R\\d+ )+(?:${PROVIDERS.join('|')})[ :])`)
  return table(
    ['', ...RUNTIMES.map((one) => `${one} ${versions[one] ?? ''}`.trim())],
    [
      ...PROVIDERS.map((name) => line(`\`${name}\``, ofProvider(name))),
      line('format, streams, cache, configuration', others),
      ['run at', ...RUNTIMES.map((one) => timeOf(parts.get(`runtime-${one}`)))],
    ],
  )
}

const SERVER = /^(?:aws|azure|gcp|vault)\//
/** The packed package on one runtime, against one server: `vault/openbao on deno: …`. */
const ON_RUNTIME = /^\S+ on (\w+)(?:: |$)/

/**
 * Providers on each runtime against servers that others wrote.
 *
 * @param {Parts} parts
 */
export function byServerAndRuntime(parts) {
  const rows = (parts.get('servers')?.rows ?? []).filter(({ name }) => ON_RUNTIME.test(name))
  const servers = groupsOf(rows, (name) => name.split(' ')[0])
  const on = (checks, runtime) =>
    checks.filter(({ name }) => ON_RUNTIME.exec(name)?.[1] === runtime)
  return table(
    ['server', ...RUNTIMES],
    [...servers]
      .sort()
      .map(([server, checks]) => [
        `\`${server}\``,
        ...RUNTIMES.map((runtime) => cell(on(checks, runtime))),
      ]),
  )
}

/**
 * Messages that one runtime wrote and another one opened and rewrapped: writers are rows, readers are columns.
 *
 * @param {Parts} parts
 */
export function byWriterAndReader(parts) {
  const part = parts.get('exchange')
  const of = (writer, reader) =>
    (part?.rows ?? []).filter(({ name }) => name.startsWith(`${writer} → ${reader} `))
  return table(
    ['written on', ...RUNTIMES],
    RUNTIMES.map((writer) => [writer, ...RUNTIMES.map((reader) => cell(of(writer, reader)))]),
  )
}

/** Checks of the servers lane are called `vendor/server …`; those of our own provider name its file. @param {Parts} parts */
export function byServer(parts) {
  const groups = groupsOf(parts.get('servers')?.rows ?? [], (name) => name.split(' ')[0])
  return table(
    ['server', 'checks of our code', "checks of the vendor's own client and of the fake"],
    [...groups]
      .filter(([server]) => SERVER.test(server))
      .sort()
      .map(([server, all]) => {
        const checks = all.filter(({ name }) => !ON_RUNTIME.test(name))
        const own = checks.filter(({ name }) => /\.mjs /.test(name))
        return [`\`${server}\``, cell(own), cell(checks.filter((one) => !own.includes(one)))]
      }),
  )
}

/** The subjects of a store's checks. @type {[title: string, test: RegExp][]} */
const STORE_PARTS = [
  ['key-value contract', /key-value store\b(?! refuses)/],
  ['data-key contract', /data-key store\b(?! refuses)/],
  ['shared circuits and repairs', /shared state/],
]

/** @param {Parts} parts */
export function byStore(parts) {
  const lines = []
  const add = (store, on, part, rows) => {
    if (rows.length === 0) return
    const tests = STORE_PARTS.map(([, test]) => rows.filter(({ name }) => test.test(name)))
    const rest = rows.filter((row) => !tests.some((one) => one.includes(row)))
    lines.push([store, on, ...tests.map(cell), cell(rest), timeOf(part)])
  }
  for (const runtime of RUNTIMES) {
    const part = parts.get(`runtime-${runtime}`)
    const rows = (part?.rows ?? []).filter(({ name }) =>
      name.startsWith('contract, memory store: '),
    )
    add(
      'memory',
      runtime,
      part,
      rows.map((row) => ({ ...row, name: 'data-key store' })),
    )
  }
  const workers = parts.get('workers-stores')
  for (const [suite, rows] of groupsOf(workers?.rows ?? [], (name) => name.split(' | ')[0]))
    add(suite, 'workerd (miniflare)', workers, rows)
  const kv = parts.get('runtime-deno-kv')
  add('Deno KV', 'deno, a file of SQLite', kv, kv?.rows ?? [])
  const servers = parts.get('servers')
  for (const kind of ['redis', 'dynamodb', 'postgres']) {
    const rows = (servers?.rows ?? []).filter(({ name }) => name.startsWith(`${kind}/`))
    const groups = groupsOf(rows, (name) => /^\S+(?: over \S+)?/.exec(name)?.[0] ?? name)
    for (const [server, checks] of [...groups].sort()) add(kind, `\`${server}\``, servers, checks)
  }
  return table(
    [
      'store',
      'run against',
      ...STORE_PARTS.map(([title]) => title),
      'races, kills, refusals',
      'run at',
    ],
    lines,
  )
}

/** Faults on the network between the stack and real servers. @param {Parts} parts */
export function faults(parts) {
  const rows = (parts.get('servers')?.rows ?? []).filter(({ name }) => name.startsWith('faults/'))
  const groups = groupsOf(rows, (name) => name.split(' ')[0])
  return table(
    ['faults', 'checks'],
    [...groups].sort().map(([name, checks]) => [`\`${name}\``, cell(checks)]),
  )
}

/**
 * @param {readonly ProofRow[]} rows
 * @param {(name: string) => string | undefined} keyOf
 * @returns {Map<string, ProofRow[]>}
 */
function groupsOf(rows, keyOf) {
  const groups = new Map()
  for (const row of rows) {
    const key = keyOf(row.name) ?? row.name
    groups.set(key, [...(groups.get(key) ?? []), row])
  }
  return groups
}
