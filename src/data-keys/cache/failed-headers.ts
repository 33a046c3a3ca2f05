import { isKmsError, KmsError, type KmsErrorCode } from '../../errors.ts'
import type { Runtime } from '../../ports/index.ts'
import { BoundedMap } from '../../runtime/index.ts'
import type { Opening } from '../opening.ts'
import { within } from './held-key.ts'

/** How long a header that failed is remembered, and how many of them. */
const TTL_MS = 10_000
const MAX_HEADERS = 256

/**
 * Codes that a header can cause: a wrong wrap, a version that is missing or disabled, a context that a
 * key policy denies, an answer that no DEK can be. Outages and throttles are not among them.
 */
const OF_HEADER = /^ERR_(DECRYPT_FAILED|KMS_KEY_\w+|KMS_ACCESS_DENIED|KMS_RESPONSE_INVALID)$/

/** The subject of a remembered refusal: a header, or one use of it. */
type HeaderId = Pick<Opening, 'id'>

interface Failure {
  readonly code: KmsErrorCode
  readonly atMs: number
}

/**
 * Remembers headers that failed a moment ago (W6.5): a poisoned envelope that is read again and again
 * costs one KMS call in ten seconds, and can push nothing else out of a cache.
 */
export class FailedHeaders {
  readonly #runtime: Runtime
  readonly #failed = new BoundedMap<string, Failure>(MAX_HEADERS)
  /** How often a header was refused from memory. */
  refusals = 0

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  /** @throws KmsError of the same code, if this header failed a moment ago */
  check({ id }: HeaderId): void {
    const failure = this.#failed.get(id)
    if (failure === undefined || !within(failure.atMs, this.#runtime.now(), TTL_MS)) return
    this.refusals += 1
    throw new KmsError(failure.code)
  }

  /** Runs work on a header and remembers a failure that the header can cause, by its code. */
  async learn<T>({ id }: HeaderId, work: () => Promise<T>, blamed: RegExp = OF_HEADER): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (isKmsError(error) && blamed.test(error.code)) {
        this.#failed.set(id, { code: error.code, atMs: this.#runtime.now() })
      }
      throw error
    }
  }

  clear(): void {
    this.#failed.clear()
  }
}
