/** The contracts of the stores on Deno KV, in Deno: `<file of the table> <file of the database>`. */
import { writeFileSync } from 'node:fs'
import process from 'node:process'
import { webRuntime } from '../../../src/runtime/index.ts'
import { DenoKvDataKeyStore, DenoKvKeyValueStore } from '../../../adapters/deno/index.ts'
import { dataKeyStoreContract, keyValueStoreContract } from '../../../src/testing/index.ts'
import { repairLogContract, sharedCircuitContract } from '../../support/shared-state.ts'
import { printTable, runCases } from '../runners/report.mjs'

const [tablePath, databasePath] = process.argv.slice(2)
const kv = await /** @type {any} */ (globalThis).Deno.openKv(databasePath)

let aheadMs = 0
const runtime = { ...webRuntime, now: () => webRuntime.now() + aheadMs }
const elapse = async (ms) => {
  aheadMs += ms
}

const named = (what, cases) => cases.map((one) => ({ ...one, name: `${what}: ${one.name}` }))
const values = () => new DenoKvKeyValueStore({ kv, runtime })
const records = () => new DenoKvDataKeyStore({ kv, prefix: crypto.randomUUID() })
const { capabilities } = values()
const table = await runCases([
  ...named('key-value store', keyValueStoreContract(capabilities, { create: values, elapse })),
  ...named('data-key store', dataKeyStoreContract(records)),
  ...named('shared state', [...sharedCircuitContract(values), ...repairLogContract(records)]),
])
kv.close()
writeFileSync(tablePath, JSON.stringify(table))
process.exitCode = printTable('deno-kv contracts', table)
