/** A process of a race: `<options of the store as JSON> <key> <me> <mode> <number>`. */
import process from 'node:process'
import { DynamoDbKeyValueStore } from '../../../src/stores/index.ts'
import { chainActor } from '../../support/race/chain-step.ts'
import { act } from '../../support/race/child.mjs'

const [options, key, me, ...mode] = process.argv.slice(2)
await act(chainActor(new DynamoDbKeyValueStore(JSON.parse(options)), key, me), mode)
