/** Prints what a chain in a Deno KV holds: `<file of the database> <key>`. */
import process from 'node:process'
import { DenoKvKeyValueStore } from '../../../adapters/deno/index.ts'
import { linkOf } from '../../support/race/chain-step.ts'

const [databasePath, key] = process.argv.slice(2)
const kv = await /** @type {any} */ (globalThis).Deno.openKv(databasePath)
process.stdout.write(await linkOf(new DenoKvKeyValueStore({ kv }), key))
kv.close()
