import { concatBytes, encodeBase64Url } from '../bytes/index.ts'
import { sha256 } from '../ciphers/index.ts'
import { isKmsError, KmsError, type KmsErrorCode } from '../errors.ts'
import type { Runtime } from '../ports/index.ts'
import { BoundedMap } from './bounded-map.ts'
import { within } from './held-key.ts'
import type { Opening } from './opening.ts'

/** How long a header that failed is remembered, and how many of them. */
const TTL_MS = 10_000
const MAX_HEADERS = 256

/** Codes that a header can cause: a version that it names need not be there, or be enabled. */
const OF_HEADER = /^ERR_(DECRYPT_FAILED|KMS_KEY_\w+)$/

interface Failure {
  readonly code: KmsErrorCode
  readonly atMs: number
}

/**
 * Headers that did not open a moment ago (W6.5): a poisoned envelope that is read again and again
 * costs one KMS call (R8), and can push nothing else out of a cache.
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
  async check(opening: Opening): Promise<void> {
    if (this.#failed.size === 0) return
    const failure = this.#failed.get(await idOf(opening))
    if (!failure || !within(failure.atMs, this.#runtime.now(), TTL_MS)) return
    this.refusals += 1
    throw new KmsError(failure.code)
  }

  /** Remembers a failure that the header is to blame for, by its code; outages are not. */
  async learn<T>(opening: Opening, work: () => Promise<T>, blamed: RegExp = OF_HEADER): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (isKmsError(error) && blamed.test(error.code)) {
        const id = await idOf(opening)
        this.#failed.set(id, { code: error.code, atMs: this.#runtime.now() })
      }
      throw error
    }
  }

  clear(): void {
    this.#failed.clear()
  }
}

/** Of all bytes of the header, unlike a cache's identity: another wrap may open. */
async function idOf({ header, canonical }: Opening): Promise<string> {
  return encodeBase64Url(await sha256(concatBytes(header.bytes, canonical.bytes)))
}
