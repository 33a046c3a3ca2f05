import { concatBytes, encodeBase64Url } from '../bytes/index.ts'
import { sha256 } from '../ciphers/index.ts'
import { isKmsError, type Outcome } from '../errors.ts'
import type { CanonicalContext } from '../kms/index.ts'
import type { Runtime } from '../ports/index.ts'
import type { KeyHeader } from '../wire/index.ts'
import { BoundedMap } from './bounded-map.ts'

/** How long a header that failed is remembered, and how many of them. */
const TTL_MS = 10_000
const MAX_HEADERS = 256

/**
 * Headers that did not open a moment ago (W6.5): a poisoned envelope that is read again and again
 * costs one KMS call, and can push nothing else out of a cache.
 */
export class FailedHeaders {
  readonly #runtime: Runtime
  readonly #failed = new BoundedMap<string, number>(MAX_HEADERS)

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  /** Of all bytes of the header, unlike a cache's identity: another wrap may open. */
  async idOf(header: KeyHeader, context: CanonicalContext): Promise<string> {
    return encodeBase64Url(await sha256(concatBytes(header.bytes, context.bytes)))
  }

  has(id: string): boolean {
    const failedAtMs = this.#failed.get(id)
    return failedAtMs !== undefined && within(failedAtMs, this.#runtime.now(), TTL_MS)
  }

  /** Remembers a failure that the header is to blame for; outages are not. */
  learn(id: string, outcome: Outcome<unknown>): void {
    if (!outcome.ok && isKmsError(outcome.error, 'ERR_DECRYPT_FAILED')) {
      this.#failed.set(id, this.#runtime.now())
    }
  }

  clear(): void {
    this.#failed.clear()
  }
}

/** Whether `nowMs` lies in the span; a clock that went back makes an entry old, not young again. */
export function within(sinceMs: number, nowMs: number, spanMs: number): boolean {
  return nowMs >= sinceMs && nowMs - sinceMs < spanMs
}
