/** The subject: the whole stack over a real provider, by a clock that a test can move. */
import { CachedKms, composeKms, EnvelopeCipher, isKmsError } from '../../../src/index.ts'

/** Short and few, so that what hangs does not hang for long. */
export const SHORTER = {
  attemptTimeoutMs: 1_000,
  deadlineMs: 4_000,
  circuitBreaker: { failureThreshold: 3 },
}
/** Time that an operation may take beyond its deadline on a busy machine. */
const PATIENCE_MS = 10_000

/** Real time, and what a test adds to it. Timers are real. */
export class Clock {
  #aheadMs = 0

  now() {
    return Date.now() + this.#aheadMs
  }

  /** @param {Uint8Array<ArrayBuffer>} bytes */
  randomFill(bytes) {
    return crypto.getRandomValues(bytes)
  }

  /** @param {number} ms */
  pass(ms) {
    this.#aheadMs += ms
  }
}

/**
 * @param {any} kms one KMS, or several
 * @param {object} [options]
 * @param {any} [options.stack] over `production`
 * @param {object} [options.cache]
 */
export function openStack(kms, { stack = {}, cache = {} } = {}) {
  const clock = new Clock()
  /** @type {any[]} */
  const events = []
  const observer = { observe: (/** @type {any} */ event) => void events.push(event) }
  const composed = composeKms(kms, { ...SHORTER, ...stack, runtime: clock, observer })
  const cipher = () =>
    new EnvelopeCipher({ keys: new CachedKms({ kms: composed, runtime: clock, ...cache }) })
  return { clock, cipher, calls: () => events.filter(isAttempt).length, events }
}

const isAttempt = ({ type, layer }) => type === 'call' && layer === 'attempt'

/** Returns the code or the answer of an operation. Errors without a code are thrown again. */
export async function outcomeOf(/** @type {Promise<any>} */ work) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer
  const hangs = new Promise((_, reject) => {
    const late = () => reject(new Error('it hangs'))
    timer = setTimeout(late, SHORTER.deadlineMs + PATIENCE_MS)
  })
  try {
    return { value: await Promise.race([work, hangs]), code: 'answers', error: undefined }
  } catch (error) {
    if (!isKmsError(error)) throw error
    return { value: undefined, code: error.code, error }
  } finally {
    clearTimeout(timer)
  }
}

/** A message, and what it must open to. @param {string} [tenant] */
export function createMessage(tenant = crypto.randomUUID()) {
  const plaintext = crypto.getRandomValues(new Uint8Array(32))
  return { plaintext, options: { context: { tenant }, aad: { row: '42' } } }
}

/** @param {Uint8Array} found @param {Uint8Array} plaintext */
export function demandSame(found, plaintext) {
  if (Buffer.compare(found, plaintext) !== 0) throw new Error('a wrong answer')
}
