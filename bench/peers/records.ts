/** Records beside other libraries: each side does the same to the same plaintext. */
import type { Bytes } from '../../src/bytes/index.ts'
import { newAesKey, newCipher, newKms, newOptions } from '../fixtures.ts'
import { floorOf } from '../records.ts'
import { EnvelopeCipher } from '../../src/index.ts'

export interface Peer {
  readonly name: string
  /** Whether its data key is at hand. Otherwise each message has a new one. */
  readonly cached: boolean
  readonly encrypt: (plaintext: Bytes) => Promise<unknown>
  readonly decrypt: (sealed: never) => Promise<unknown>
}

export type Work = () => Promise<unknown>

export interface PeerCase {
  readonly name: string
  readonly bytes: number
  readonly verb: 'encrypt' | 'decrypt'
  readonly atOnce: number
  readonly sides: ReadonlyMap<string, Work>
}

export const FLOOR = 'crypto.subtle'
export const OURS = 'edge-kms'
const SIZES = [16, 256, 4_096, 65_536]
const AT_ONCE = [1, 64]

/** Returns edge-kms as a peer, with its cache and without. */
function ours(): readonly Peer[] {
  const cached = newCipher()
  const cold = new EnvelopeCipher({ kms: newKms(), cache: false })
  const peer = (name: string, cipher: EnvelopeCipher): Peer => ({
    name,
    cached: cipher === cached,
    encrypt: (plaintext) => cipher.encrypt(plaintext, newOptions()),
    decrypt: (sealed) => cipher.decrypt(sealed, newOptions()),
  })
  return [peer(OURS, cached), peer(`${OURS}, not cached`, cold)]
}

export async function peerCases(others: readonly Peer[]): Promise<readonly PeerCase[]> {
  const key = await newAesKey()
  const peers = [...ours(), ...others]
  const cases: PeerCase[] = []
  for (const bytes of SIZES) {
    // ASCII: one of the others takes text only.
    const plaintext = new Uint8Array(bytes).map((_, i) => 97 + (i % 26))
    const sealed = new Map<string, unknown>()
    for (const { name, encrypt } of peers) sealed.set(name, await encrypt(plaintext))
    const floor = await floorOf(key, plaintext, (sealed.get(OURS) as Bytes).length)
    for (const verb of ['encrypt', 'decrypt'] as const) {
      const works = new Map<string, Work>([[FLOOR, floor[verb]]])
      for (const { name, encrypt, decrypt } of peers) {
        const work =
          verb === 'encrypt' ? () => encrypt(plaintext) : () => decrypt(sealed.get(name) as never)
        works.set(name, work)
      }
      for (const atOnce of AT_ONCE)
        cases.push({
          name: `${verb} ${bytes} B x${atOnce}`,
          bytes,
          verb,
          atOnce,
          sides: batches(works, atOnce),
        })
    }
  }
  return cases
}

function batches(works: ReadonlyMap<string, Work>, atOnce: number): ReadonlyMap<string, Work> {
  if (atOnce === 1) return works
  const together = (work: Work) => () => Promise.all(Array.from({ length: atOnce }, work))
  return new Map([...works].map(([name, work]) => [name, together(work)]))
}

/** Runs turns of one side, one after the other. */
export async function runSide(
  one: PeerCase | undefined,
  side: string,
  turns: number,
): Promise<void> {
  const work = one?.sides.get(side)
  if (work === undefined) throw new Error(`unknown side: ${side}`)
  for (let i = 0; i < turns; i++) await work()
}
