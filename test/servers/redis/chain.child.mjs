/** A process of a race: `<client> <port> <front url> <key> <me> <mode> <number>`. */
import process from 'node:process'
import { RedisKeyValueStore } from '../../../src/stores/index.ts'
import { chainActor } from '../../support/race/chain-step.ts'
import { act } from '../../support/race/child.mjs'
import { clients } from './clients.mjs'

const [name, port, frontUrl, key, me, ...mode] = process.argv.slice(2)
const { command } = await clients[name]({ port: Number(port), frontUrl })
await act(chainActor(new RedisKeyValueStore({ command }), key, me), mode)
