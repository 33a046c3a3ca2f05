import { plainOptions } from '../../src/checks/index.ts'
import { type Bytes, encodeBase64Url, encodeUtf8 } from '../../src/bytes/index.ts'
import type {
  KeyValueCapabilities,
  KeyValueOptions,
  KeyValueStore,
  KeyValueWriteOptions,
  Runtime,
} from '../../src/ports/index.ts'
import { webRuntime } from '../../src/runtime/index.ts'
import {
  capabilitiesOf,
  checkBinding,
  checkKey,
  checkPrefix,
  MAX_KEY_BYTES,
  type StoreCallOptions,
  StoreCalls,
  TimedValues,
} from '../../src/stores/index.ts'

/** What is used of a `Cache`: `caches.default` of Workers, or one that `caches.open` gave. */
export interface WebCache {
  match(url: string): Promise<Response | undefined>
  put(url: string, response: Response): Promise<void>
  delete(url: string): Promise<boolean>
}

/** Options of {@link CacheApiStore}. */
export interface CacheApiStoreOptions extends StoreCallOptions {
  readonly cache: WebCache
  /** Prefix of every key; none by default. */
  readonly prefix?: string
  readonly runtime?: Runtime
}

/** No host of anybody (RFC 6761): what lies under a URL of the zone could be asked for by its clients. */
const ORIGIN = 'https://store.edge-kms.invalid/'

/**
 * A {@link KeyValueStore} on the Cache API: on Workers one cache for each data center, free, and
 * without any promise to keep. It cannot compare and swap, and a deletion is not seen elsewhere.
 *
 * @see https://developers.cloudflare.com/workers/runtime-apis/cache/
 */
export class CacheApiStore implements KeyValueStore {
  readonly capabilities: KeyValueCapabilities
  readonly #cache: WebCache
  readonly #prefix: string
  readonly #values: TimedValues
  readonly #calls: StoreCalls

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: CacheApiStoreOptions) {
    const { cache, prefix = '', runtime = webRuntime, ...common } = plainOptions(options)
    this.#cache = checkBinding('cache', cache, 'match')
    this.#prefix = checkPrefix(prefix)
    this.#calls = new StoreCalls('cache-api', common)
    this.capabilities = capabilitiesOf({
      consistency: 'eventual',
      compareAndSwap: false,
      maxKeyBytes: MAX_KEY_BYTES - prefix.length,
    })
    this.#values = new TimedValues(runtime, this.capabilities.maxValueBytes)
  }

  async get(key: string, options: KeyValueOptions = {}): Promise<Bytes | undefined> {
    const url = this.#url(key)
    const found = await this.#calls.run('get', options.signal, async () => {
      const response = await this.#cache.match(url)
      return response === undefined ? undefined : response.arrayBuffer()
    })
    if (found === undefined) return undefined
    return this.#values.unpack(new Uint8Array(found), () => this.#calls.unreadable('get'))
  }

  async put(key: string, value: Bytes, options: KeyValueWriteOptions): Promise<void> {
    const url = this.#url(key)
    const { bytes, ttlMs } = this.#values.pack(value, options.ttlMs)
    const headers = {
      // Without it Workers keep nothing; whole seconds, so the value itself says when it ends.
      'cache-control': `max-age=${String(Math.ceil(ttlMs / 1_000))}`,
      'content-type': 'application/octet-stream',
    }
    await this.#calls.run('put', options.signal, () =>
      this.#cache.put(url, new Response(bytes, { headers })),
    )
  }

  /** @throws KmsError `ERR_KMS_UNSUPPORTED` */
  compareAndSwap(): Promise<boolean> {
    return this.#calls.cannotSwap()
  }

  async delete(key: string, options: KeyValueOptions = {}): Promise<void> {
    const url = this.#url(key)
    await this.#calls.run('delete', options.signal, () => this.#cache.delete(url))
  }

  /** base64url, because a URL has many spellings and loses its dots. */
  #url(key: string): string {
    const name = this.#prefix + checkKey(key, this.capabilities.maxKeyBytes)
    return ORIGIN + encodeBase64Url(encodeUtf8(name))
  }
}
