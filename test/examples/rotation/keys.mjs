/** Seeds and looks of every engine's test: envelopes under the first key, and the versions of stored ones. */
import { EncryptedEnvelope, EnvelopeCipher } from '../../../src/index.ts'
import { createLocalKms } from '../../../src/providers/local/index.ts'

/** @param {number} from */
const keyFrom = (from) => Uint8Array.from({ length: 32 }, (_, at) => at + from)
const [first, second] = [keyFrom(1), keyFrom(101)]
const base64 = (/** @type {Uint8Array} */ bytes) => Buffer.from(bytes).toString('base64')

/** The variables of a process before the rotation of its key, and of one behind it. */
export const OLD_ENV = { EDGE_KMS_KEY_V1: base64(first) }
export const NEW_ENV = { ...OLD_ENV, EDGE_KMS_KEY_V2: base64(second) }

/** The KMS with the first key alone, and with both. */
export const oldKms = () => createLocalKms({ versions: [{ version: 1, key: first }] })
export const newKms = () =>
  createLocalKms({
    versions: [
      { version: 1, key: first },
      { version: 2, key: second },
    ],
  })

/**
 * Returns a cipher under the first key whose messages have a data key each.
 *
 * @param {import('../../../src/index.ts').EnvelopeCipherOptions extends infer O ? Partial<O> : never} [options]
 */
export const oldCipher = (options = {}) =>
  new EnvelopeCipher({ kms: oldKms(), cache: false, ...options })

/**
 * Counts stored envelopes or records by the versions of their wraps, e.g. `{ 2: 600 }`.
 *
 * @param {Iterable<Uint8Array>} values
 */
export function versionsOf(values) {
  /** @type {Record<string, number>} */
  const counts = {}
  for (const value of values) {
    const versions = EncryptedEnvelope.parse(new Uint8Array(value)).wraps.map(
      ({ kekVersion }) => kekVersion,
    )
    const name = versions.join('+')
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}

export const context = { tenant: 'acme' }
export const textOf = (/** @type {number} */ at) => `secret ${at}`
export const idOf = (/** @type {number} */ at) => `r${String(at).padStart(6, '0')}`
