import type { Bytes } from '../../src/bytes/index.ts'
import { plainOptions, wrongOption } from '../../src/checks/index.ts'
import { KmsError } from '../../src/errors.ts'
import { parseJsonObject } from '../../src/http/index.ts'
import {
  bytesOfText,
  checkBinding,
  type StoreCallOptions,
  StoreCalls,
} from '../../src/stores/index.ts'
import type { ObjectAnswer, ObjectRequest } from './durable-object-protocol.ts'

/** The members of a `DurableObjectNamespace` binding that the stores use. */
export interface StoreObjectNamespace {
  idFromName(name: string): object
  get(id: never): StoreObjectStub
}

/** The members of a `DurableObjectStub` that the stores use. */
export interface StoreObjectStub {
  fetch(
    url: string,
    init: { method: string; body: string },
  ): Promise<{ readonly status: number; arrayBuffer(): Promise<ArrayBuffer> }>
}

/** Options of the stores on a Durable Object. */
export interface DurableObjectStoreOptions extends StoreCallOptions {
  /** The binding of `EdgeKmsStoreObject`. */
  readonly namespace: StoreObjectNamespace
  /** Name of the object; each name is a separate store. `edge-kms` by default; 1 to 512 bytes. */
  readonly name?: string
}

/** The way to one Durable Object. */
export class DurableObjectClient {
  readonly #namespace: StoreObjectNamespace
  readonly #name: string
  readonly #calls: StoreCalls

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: DurableObjectStoreOptions) {
    const { namespace, name = 'edge-kms', ...common } = plainOptions(options)
    this.#namespace = checkBinding('namespace', namespace, 'idFromName')
    if (typeof name !== 'string' || name === '') {
      throw wrongOption('name', 'a text that is not empty', name)
    }
    this.#name = name
    this.#calls = new StoreCalls('durable-object', common)
  }

  /** @throws KmsError `ERR_STORE_UNAVAILABLE`; or the signal's reason */
  ask(
    operation: string,
    request: ObjectRequest,
    signal: AbortSignal | undefined,
  ): Promise<ObjectAnswer> {
    return this.#calls.run(operation, signal, async () => {
      // A stub for each call: one that has failed once is broken, and it is another request's I/O.
      const stub = this.#namespace.get(this.#namespace.idFromName(this.#name) as never)
      const body = JSON.stringify(request)
      const answer = await stub.fetch('https://store.edge-kms.invalid/', { method: 'POST', body })
      const found = parseJsonObject(new Uint8Array(await answer.arrayBuffer()))
      if (answer.status === 200 && found !== undefined) return found
      throw new KmsError('ERR_STORE_UNAVAILABLE', {
        provider: 'durable-object',
        operation,
        message: 'the object does not answer as EdgeKmsStoreObject',
        status: answer.status,
        retryable: answer.status >= 500,
      })
    })
  }

  /** Whether it was written. */
  async write(
    operation: string,
    request: ObjectRequest,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const { done } = await this.ask(operation, request, signal)
    if (typeof done !== 'boolean') throw this.#calls.unreadable(operation)
    return done
  }

  /** The value that was found. */
  async read(request: ObjectRequest, signal: AbortSignal | undefined): Promise<Bytes | undefined> {
    const { value } = await this.ask('get', request, signal)
    return value === undefined ? undefined : bytesOfText(value, () => this.unreadable('get'))
  }

  unreadable(operation: string): Error {
    return this.#calls.unreadable(operation)
  }
}
