import type { Isolate } from './isolate.ts'
import type { Written } from './judge.ts'
import { hex } from './sim-kms.ts'

const PREFIX_BYTES = 12
const NONCE_BYTES = 24
const TAG_BYTES = 16

/** Remembers the nonces of all records, to see that no data key uses one twice. */
export class Nonces {
  readonly #seen = new Set<string>()
  /** The isolate that drew a prefix under a data key. */
  readonly #drawnBy = new Map<string, Isolate>()

  /** Returns what is wrong with the nonce of a new record, or `undefined`. */
  add(isolate: Isolate, commitment: string, { envelope, plaintext }: Written): string | undefined {
    const at = envelope.length - TAG_BYTES - plaintext.length - NONCE_BYTES
    const nonce = `${commitment} ${hex(envelope.subarray(at, at + NONCE_BYTES))}`
    const prefix = `${commitment} ${hex(envelope.subarray(at, at + PREFIX_BYTES))}`
    if (this.#seen.has(nonce)) return `${isolate.name} used a nonce twice`
    this.#seen.add(nonce)
    const drawer = this.#drawnBy.get(prefix) ?? isolate
    this.#drawnBy.set(prefix, drawer)
    return drawer === isolate ? undefined : `${isolate.name} has the prefix of ${drawer.name}`
  }
}
