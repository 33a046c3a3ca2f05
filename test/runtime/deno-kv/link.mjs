/** Prints what a chain in a Deno KV holds: `<file of the database> <key>`. */
/* global Deno -- this file runs in Deno only */
import process from 'node:process'
import { DenoKvKeyValueStore } from '../../../src/stores/index.ts'
import { linkOf } from '../../support/race/chain-step.ts'

const [databasePath, key] = process.argv.slice(2)
const kv = await Deno.openKv(databasePath)
process.stdout.write(await linkOf(new DenoKvKeyValueStore({ kv }), key))
kv.close()
