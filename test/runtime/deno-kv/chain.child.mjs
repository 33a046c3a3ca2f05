/** A process of a race: `<file of the database> <key> <me> <mode> <number>`. */
import process from 'node:process'
import { DenoKvKeyValueStore } from '../../../adapters/deno/index.ts'
import { chainActor } from '../../support/race/chain-step.ts'
import { act } from '../../support/race/child.mjs'

const [databasePath, key, me, ...mode] = process.argv.slice(2)
const kv = await /** @type {any} */ (globalThis).Deno.openKv(databasePath)
await act(chainActor(new DenoKvKeyValueStore({ kv, timeoutMs: 30_000 }), key, me), mode)
