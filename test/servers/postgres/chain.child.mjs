/** A process of a race: `<port> <key> <me> <mode> <number>`. */
import process from 'node:process'
import { PostgresKeyValueStore } from '../../../src/stores/index.ts'
import { chainActor } from '../../support/race/chain-step.ts'
import { act } from '../../support/race/child.mjs'
import { poolOf } from './clients.mjs'

const [port, key, me, ...mode] = process.argv.slice(2)
const store = new PostgresKeyValueStore({ client: poolOf(Number(port)) })
await act(chainActor(store, key, me), mode)
