/** The runner for Node, Deno and Bun. */
import { writeFileSync } from 'node:fs'
import * as node from 'edge-kms/node'
import { fileCases } from './file-cases.mjs'
import { runSuite } from './library.mjs'
import { printTable, runCases } from './report.mjs'

const runtime = process.argv[2] ?? 'unknown'
const table = [...(await runSuite()), ...(await runCases(fileCases(node)))]
writeFileSync(`${runtime}.table.json`, JSON.stringify(table))
process.exitCode = printTable(runtime, table)
