import { importXaesKey, RecordKeys, SubkeyPool } from '../src/ciphers/index.ts'
import { SUBKEYS } from '../src/data-keys/defaults.ts'
import { webRuntime } from '../src/runtime/index.ts'
import { aad, newAesKey, pattern } from './fixtures.ts'
import { floorOf } from './records.ts'
import type { BenchCase } from './suite.ts'

const BYTES = 256
/** As long as the head of an envelope with one wrap of the local provider. */
const HEAD_BYTES = 184
/**
 * A reader remembers the subkeys of this many prefixes, so by the time a record comes round again its
 * prefix is forgotten.
 */
const RECORDS = 2 * SUBKEYS.ofCache

/**
 * Returns the cases in which no subkey is at hand: each record has a nonce prefix of its own, and costs
 * one derivation besides the AEAD call.
 */
export async function prefixCases(): Promise<readonly BenchCase[]> {
  const plaintext = pattern(BYTES)
  const head = pattern(HEAD_BYTES)
  const key = await importXaesKey(crypto.getRandomValues(new Uint8Array(32)))
  const newKeys = (redrawAfter?: number): RecordKeys =>
    new RecordKeys(key, webRuntime, new SubkeyPool(SUBKEYS.ofCache), redrawAfter)
  const writer = newKeys(1)
  const reader = newKeys()
  const seal = (): Promise<Uint8Array<ArrayBuffer>> => writer.seal(head, plaintext, aad)
  const records: Uint8Array<ArrayBuffer>[] = []
  while (records.length < RECORDS) records.push(await seal())
  let next = 0
  const open = (): Promise<unknown> => reader.open(records[next++ % RECORDS], aad, HEAD_BYTES)
  const floor = await floorOf(await newAesKey(), plaintext, records[0].length)
  const common = { bytes: BYTES, rounds: 61, operations: 1 }
  return [
    {
      ...common,
      name: 'encrypt 256 B, new nonce prefix',
      sides: { floor: floor.encrypt, ours: seal },
    },
    {
      ...common,
      name: 'decrypt 256 B, new nonce prefix',
      sides: { floor: floor.decrypt, ours: open },
    },
  ]
}
