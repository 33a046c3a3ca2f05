import { type Bytes, encodeBase64 } from '../../src/bytes/index.ts'
import type {
  KeyValueCapabilities,
  KeyValueOptions,
  KeyValueStore,
  KeyValueWriteOptions,
} from '../../src/ports/index.ts'
import { capabilitiesOf, checkKey, checkTtl, checkValue } from '../../src/stores/index.ts'
import { DurableObjectClient, type DurableObjectStoreOptions } from './durable-object-client.ts'

/** A {@link KeyValueStore} in one Durable Object: strong, in one location of the world. */
export class DurableObjectKeyValueStore implements KeyValueStore {
  readonly capabilities: KeyValueCapabilities = capabilitiesOf({
    consistency: 'strong',
    compareAndSwap: true,
  })
  readonly #object: DurableObjectClient

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: DurableObjectStoreOptions) {
    this.#object = new DurableObjectClient(options)
  }

  async get(key: string, options: KeyValueOptions = {}): Promise<Bytes | undefined> {
    return this.#object.read({ op: 'get', key: this.#key(key) }, options.signal)
  }

  async put(key: string, value: Bytes, options: KeyValueWriteOptions): Promise<void> {
    const row = this.#row(key, value, options)
    await this.#object.write('put', { op: 'put', ...row }, options.signal)
  }

  async compareAndSwap(
    key: string,
    expected: Bytes | undefined,
    next: Bytes,
    options: KeyValueWriteOptions,
  ): Promise<boolean> {
    const row = this.#row(key, next, options)
    const held = expected === undefined ? {} : { expected: encodeBase64(expected) }
    return this.#object.write('compareAndSwap', { op: 'swap', ...row, ...held }, options.signal)
  }

  async delete(key: string, options: KeyValueOptions = {}): Promise<void> {
    await this.#object.write('delete', { op: 'delete', key: this.#key(key) }, options.signal)
  }

  #key(key: string): string {
    return checkKey(key, this.capabilities.maxKeyBytes)
  }

  #row(
    key: string,
    value: Bytes,
    { ttlMs }: KeyValueWriteOptions,
  ): { readonly key: string; readonly value: string; readonly ttlMs: number } {
    const bytes = checkValue(value, this.capabilities.maxValueBytes)
    return { key: this.#key(key), value: encodeBase64(bytes), ttlMs: checkTtl(ttlMs) }
  }
}
