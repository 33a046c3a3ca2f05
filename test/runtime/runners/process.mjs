/** The runner for Node, Deno and Bun. */
import { writeFileSync } from 'node:fs'
import { runSuite } from './library.mjs'
import { printTable } from './report.mjs'

const runtime = process.argv[2] ?? 'unknown'
const table = await runSuite()
writeFileSync(`${runtime}.table.json`, JSON.stringify(table))
process.exitCode = printTable(runtime, table)
