import { plainOptions } from '../../src/checks/index.ts'
import { type Bytes, encodeBase64Url, encodeUtf8 } from '../../src/bytes/index.ts'
import type {
  KeyValueCapabilities,
  KeyValueOptions,
  KeyValueStore,
  KeyValueWriteOptions,
} from '../../src/ports/index.ts'
import { checkBinding } from '../../src/stores/index.ts'
import { type EventualParts, eventualParts, type EventualStoreOptions } from './eventual-parts.ts'

/** The part of a `Cache` that the store uses: `caches.default` of Workers, or a result of `caches.open`. */
export interface WebCache {
  match(url: string): Promise<Response | undefined>
  put(url: string, response: Response): Promise<void>
  delete(url: string): Promise<boolean>
}

/** Options of {@link CacheApiStore}. */
export interface CacheApiStoreOptions extends EventualStoreOptions {
  readonly cache: WebCache
}

/** No host of anybody (RFC 6761): what lies under a URL of the zone could be asked for by its clients. */
const ORIGIN = 'https://store.edge-kms.invalid/'

/**
 * A {@link KeyValueStore} on the Cache API: on Workers one free cache for each data center, which may drop any value
 * at any time. It cannot compare and swap, and a deletion affects only its own data center.
 *
 * @see https://developers.cloudflare.com/workers/runtime-apis/cache/
 */
export class CacheApiStore implements KeyValueStore {
  readonly capabilities: KeyValueCapabilities
  readonly #cache: WebCache
  readonly #parts: EventualParts

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: CacheApiStoreOptions) {
    const { cache, ...common } = plainOptions(options)
    this.#cache = checkBinding('cache', cache, 'match')
    this.#parts = eventualParts('cache-api', common)
    this.capabilities = this.#parts.capabilities
  }

  async get(key: string, options: KeyValueOptions = {}): Promise<Bytes | undefined> {
    const url = this.#url(key)
    const found = await this.#parts.calls.run('get', options.signal, async () => {
      const response = await this.#cache.match(url)
      return response === undefined ? undefined : response.arrayBuffer()
    })
    if (found === undefined) return undefined
    return this.#parts.values.unpack(new Uint8Array(found), () =>
      this.#parts.calls.unreadable('get'),
    )
  }

  async put(key: string, value: Bytes, options: KeyValueWriteOptions): Promise<void> {
    const url = this.#url(key)
    const { bytes, ttlMs } = this.#parts.values.pack(value, options.ttlMs)
    const headers = {
      // Without it Workers keep nothing; whole seconds, so the value itself says when it ends.
      'cache-control': `max-age=${String(Math.ceil(ttlMs / 1_000))}`,
      'content-type': 'application/octet-stream',
    }
    await this.#parts.calls.run('put', options.signal, () =>
      this.#cache.put(url, new Response(bytes, { headers })),
    )
  }

  /** @throws KmsError `ERR_KMS_UNSUPPORTED` */
  compareAndSwap(): Promise<boolean> {
    return this.#parts.calls.cannotSwap()
  }

  async delete(key: string, options: KeyValueOptions = {}): Promise<void> {
    const url = this.#url(key)
    await this.#parts.calls.run('delete', options.signal, () => this.#cache.delete(url))
  }

  /** base64url, because a URL has many spellings and loses its dots. */
  #url(key: string): string {
    const name = this.#parts.nameOf(key)
    return ORIGIN + encodeBase64Url(encodeUtf8(name))
  }
}
