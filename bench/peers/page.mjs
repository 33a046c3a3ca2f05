/** Writes the figures of bench/results into docs/performance.md, and its charts. Nothing there is written by hand. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../tools/lib/folders.mjs'
import { table, writeParts } from '../lib/marked-page.mjs'
import { barChart } from './chart.mjs'
import { goals } from './goals.mjs'

const CHARTS = join(root, 'docs/performance')
const NAMES = { node: 'Node 24', deno: 'Deno 2', bun: 'Bun 1', workerd: 'workerd' }

function chart(name, data) {
  mkdirSync(CHARTS, { recursive: true })
  writeFileSync(join(CHARTS, `${name}.svg`), barChart(data))
  const alt = `${data.title}: ${data.rows.map(({ label, value }) => `${label} ${value.toPrecision(3)}`).join(', ')} ${data.unit}`
  return `![${alt}](performance/${name}.svg)`
}

const bars = (figures, valueOf) =>
  Object.entries(figures)
    .map(([label, figure]) => ({
      label,
      value: valueOf(figure),
      isOurs: label.startsWith('edge-kms'),
    }))
    .toSorted((a, b) => a.value - b.value)

function recordsOf(runtimes) {
  const node = runtimes.node?.records
  if (node === undefined) return ''
  const charts = ['encrypt', 'decrypt'].map((verb) => {
    const row = node.rows.find((one) => one.verb === verb && one.bytes === 256 && one.atOnce === 64)
    const rows = bars(row.figures, ({ us }) => us / 64)
    return chart(`${verb}-256`, { title: `${verb} 256 B, 64 at once, Node 24`, unit: 'us', rows })
  })
  const sides = [
    ...new Set(
      Object.values(runtimes).flatMap(({ records }) =>
        Object.keys(records?.rows[0]?.figures ?? {}),
      ),
    ),
  ]
  const columns = Object.entries(runtimes).flatMap(([name, { records }]) =>
    records === undefined ? [] : [1, 64].map((atOnce) => ({ name, atOnce, rows: records.rows })),
  )
  const cell = ({ atOnce, rows }, verb, side) => {
    const figure = rows.find(
      (one) => one.verb === verb && one.bytes === 256 && one.atOnce === atOnce,
    )?.figures[side]
    return figure === undefined ? '' : figure.ratio.toFixed(figure.ratio < 10 ? 2 : 0)
  }
  const tables = ['encrypt', 'decrypt'].map((verb) =>
    table(
      [`${verb} 256 B`, ...columns.map(({ name, atOnce }) => `${NAMES[name]} x${atOnce}`)],
      sides.map((side) => [side, ...columns.map((column) => cell(column, verb, side))]),
    ),
  )
  const sizes = table(
    ['edge-kms over the floor', ...columns.map(({ name, atOnce }) => `${NAMES[name]} x${atOnce}`)],
    ['encrypt', 'decrypt'].flatMap((verb) =>
      [16, 256, 4_096, 65_536].map((bytes) => [
        `${verb} ${bytes.toLocaleString('en')} B`,
        ...columns.map(
          ({ atOnce, rows }) =>
            rows
              .find((one) => one.verb === verb && one.bytes === bytes && one.atOnce === atOnce)
              ?.figures['edge-kms'].ratio.toFixed(2) ?? '',
        ),
      ]),
    ),
  )
  return [...charts, ...tables, sizes].join('\n\n')
}

function streamsOf(runtimes) {
  const rows = Object.entries(runtimes).flatMap(([name, { streams }]) =>
    streams === undefined
      ? []
      : Object.entries(streams.figures).map(([side, { us }]) => [
          NAMES[name],
          side,
          (streams.bytes / 1_048_576 / (us / 1e6)).toFixed(0),
          `${streams.memory[side]?.overStartMiB.toFixed(0) ?? ''}`,
        ]),
  )
  return table(['Runtime', 'Library', 'MiB/s', 'MiB of memory over the start'], rows)
}

function goalsOf(runtimes) {
  return table(
    ['Goal', 'Measured', 'Reached'],
    goals(runtimes).map(({ goal, value, pass }) => [goal, value, pass ? 'yes' : '**no**']),
  )
}

function missingOf(runtimes) {
  return Object.entries(runtimes)
    .flatMap(([name, { records }]) =>
      Object.entries(records?.missing ?? {}).map(
        ([peer, why]) => `- ${NAMES[name]}, ${peer}: ${why}`,
      ),
    )
    .join('\n')
}

const kib = (bytes) => (bytes / 1_024).toFixed(1)
const ms = (value) => (value === undefined ? '' : value.toFixed(1))

function ledgerOf() {
  const { subpaths, peers } = JSON.parse(
    readFileSync(join(root, 'bench/results/ledger.json'), 'utf8'),
  )
  return table(
    ['Module', 'gzip KiB', 'Modules', 'Cold import ms', 'As one file ms', 'Start-up in workerd ms'],
    Object.entries({ ...subpaths, ...peers }).map(([name, row]) => [
      `\`${name}\``,
      kib(row.gzip),
      row.modules,
      ms(row.installedMs),
      ms(row.bundledMs),
      ms(row.startUpMs),
    ]),
  )
}

/** The client of each vendor. */
const CLIENTS = {
  aws: '@aws-sdk/client-kms',
  gcp: '@google-cloud/kms',
  azure: '@azure/keyvault-keys',
  vault: 'node-vault',
}

/** Speed and CPU over the client's, of both operations: the mean of their ratios. */
function kmsOf() {
  const file = join(root, 'bench/results/kms.json')
  if (!existsSync(file)) return ''
  const { vendors } = JSON.parse(readFileSync(file, 'utf8'))
  const mean = (rows, what) => rows.reduce((sum, row) => sum + row[what], 0) / rows.length
  const rows = Object.entries(vendors).flatMap(([vendor, runtimes]) =>
    Object.entries(runtimes).flatMap(([runtime, found]) =>
      [...new Set(found.map(({ side }) => side))]
        .filter((side) => side !== 'client')
        .map((side) => {
          const of = (atOnce) => found.filter((one) => one.side === side && one.atOnce === atOnce)
          const cells = [1, 32].flatMap((atOnce) =>
            ['speed', 'cpu'].map((what) => `${mean(of(atOnce), what).toFixed(2)}x`),
          )
          return [`${CLIENTS[vendor]}, ${NAMES[runtime]}`, side, ...cells]
        }),
    ),
  )
  const head = ['Beside', 'Side', 'Speed, 1 at once', 'CPU', 'Speed, 32 at once', 'CPU']
  return table(head, rows)
}

/** Writes the parts of the page between its markers. */
export function writePage() {
  const { at, runtimes } = JSON.parse(readFileSync(join(root, 'bench/results/peers.json'), 'utf8'))
  const parts = {
    date: `Measured on ${at.slice(0, 10)}.`,
    records: recordsOf(runtimes),
    streams: streamsOf(runtimes),
    missing: missingOf(runtimes),
    goals: goalsOf(runtimes),
    kms: kmsOf(),
    ledger: ledgerOf(),
  }
  writeParts('docs/performance.md', parts)
}
