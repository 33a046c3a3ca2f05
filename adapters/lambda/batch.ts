import { decodeBase64, decodeBase64Url } from '../../src/bytes/index.ts'
import { demandFunction, plainOptions, wrongOption } from '../../src/checks/index.ts'
import type { Bytes, DecryptItem, EncryptionContext } from '../../src/index.ts'
import { tell } from '../../src/runtime/index.ts'
import { Environment } from './environment.ts'
import type { KmsStack, KmsTools, LambdaContext, LambdaOptions } from './types.ts'

/** A partial batch response: the records that Lambda delivers again. An empty list is success. */
export interface BatchResponse {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[]
}

/** The tools that a function for one record gets: the result of `create`, `signal`, `defer`, and Lambda's context. */
export type RecordTools<S extends KmsStack, C = LambdaContext> = KmsTools<S> & {
  readonly context: C
}

/** Options that {@link sqsBatch} and {@link dynamoBatch} share. */
export interface BatchOptions<R, S extends KmsStack> extends LambdaOptions<S> {
  /**
   * Returns the context that a record's envelope was encrypted with. Take it from a source that you trust, such as
   * the queue or table: the sender wrote the record's own fields.
   */
  readonly context: (record: R) => EncryptionContext
  /** Returns the aad that a record's envelope was encrypted with; none by default. */
  readonly aad?: (record: R) => EncryptionContext
  /** Called with every record that failed, for logs: Lambda does not log a record that it delivers again. */
  readonly onError: (error: unknown, record: R) => void
}

/** How one kind of event is read. */
export interface BatchKind<R> {
  /** The bytes of the envelope, or `undefined` where the record has none. */
  readonly envelopeOf: (record: R) => Uint8Array | undefined
  /** Lambda's name for the record. */
  readonly idOf: (record: R) => string
}

/** The outcome of one record's envelope: its plaintext, `undefined` where the record had none, or an error. */
export type Opened =
  | { readonly ok: true; readonly value: Bytes | undefined }
  | { readonly ok: false; readonly error: unknown }

/** Serves the batches of both kinds: it has the stack, and decrypts all records at once. */
export class Batch<R, S extends KmsStack> {
  readonly #environment: Environment<S>
  readonly #kind: BatchKind<R>
  readonly #options: Pick<BatchOptions<R, S>, 'context' | 'aad' | 'onError'>

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: BatchOptions<R, S>, kind: BatchKind<R>) {
    const { context, aad, onError, ...others } = plainOptions(options)
    demandFunction('context', context)
    if (aad !== undefined) demandFunction('aad', aad)
    demandFunction('onError', onError)
    this.#options = { context, onError, ...(aad && { aad }) }
    this.#environment = new Environment<S>(others, ['signal', 'defer', 'context'])
    this.#kind = kind
  }

  /**
   * Runs one invocation. A failure here is one of the whole batch: Lambda delivers all of it again.
   *
   * @throws TypeError if the event has no records, or a record has no identifier
   */
  run<C extends LambdaContext>(
    event: { readonly Records: readonly R[] },
    context: C,
    work: (opened: readonly Opened[], kms: RecordTools<S, C>) => Promise<readonly R[]>,
  ): Promise<BatchResponse> {
    return this.#environment.run(context, async (kms) => {
      const ids = new Map(recordsOf(event).map((record) => [record, this.#idOf(record)]))
      const opened = await this.#open(event.Records, kms)
      const failed = await work(opened, { ...kms, context })
      return {
        batchItemFailures: failed.map((one) => ({ itemIdentifier: ids.get(one) as string })),
      }
    })
  }

  /** Runs the caller's function for one record. Returns whether it went well. */
  async attempt(
    record: R,
    opened: Opened,
    work: (plaintext: Bytes | undefined) => unknown,
  ): Promise<boolean> {
    try {
      if (!opened.ok) throw opened.error
      await work(opened.value)
      return true
    } catch (error) {
      tell(this.#options.onError, error, record)
      return false
    }
  }

  /** Decrypts all records at once: one unwrap for each data key. One that cannot be read fails alone. */
  async #open(records: readonly R[], { cipher, signal, defer }: KmsTools<S>): Promise<Opened[]> {
    const items: DecryptItem[] = []
    const places = records.map((record) => this.#placeOf(record, items))
    const outcomes = await cipher.decryptMany(items, { signal, defer })
    return places.map((place) => (typeof place === 'number' ? (outcomes[place] as Opened) : place))
  }

  /** Adds the record's envelope to the items and returns its place, or what became of it without one. */
  #placeOf(record: R, items: DecryptItem[]): number | Opened {
    try {
      const envelope = this.#kind.envelopeOf(record)
      if (envelope === undefined) return { ok: true, value: undefined }
      const { context, aad } = this.#options
      const bound = { context: given(context(record)), ...(aad && { aad: given(aad(record)) }) }
      return items.push({ envelope, ...bound }) - 1
    } catch (error) {
      return { ok: false, error }
    }
  }

  #idOf(record: R): string {
    const id: unknown = this.#kind.idOf(Object(record) as R)
    // Lambda takes an empty or unknown identifier for a failure of the whole batch.
    if (typeof id === 'string' && id !== '') return id
    throw new TypeError('a record of the event has no identifier: is this the right kind of event?')
  }
}

/** Returns a map that a function answered. For none the answer is `{}`: `undefined` is a look-up that found nothing. */
function given(map: EncryptionContext | undefined): EncryptionContext {
  return map === undefined ? (null as never) : map // which decrypting refuses
}

function recordsOf<R>(event: { readonly Records: readonly R[] }): readonly R[] {
  const { Records: records } = Object(event) as { readonly Records?: unknown }
  if (Array.isArray(records)) return records as readonly R[]
  throw new TypeError('the event has no Records: is this the right kind of event?')
}

/** Returns the bytes of the text form. Of any other text no bytes, which decrypting refuses. */
export function bytesOfText(text: unknown): Uint8Array {
  const isText = typeof text === 'string' && text.startsWith('ek1.')
  return (isText ? decodeBase64Url(text.slice('ek1.'.length)) : undefined) ?? new Uint8Array(0)
}

/** Returns the bytes of a binary attribute: base64 in Lambda's events, bytes in those of the SDK. */
export function bytesOfBinary(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value
  return (typeof value === 'string' ? decodeBase64(value) : undefined) ?? new Uint8Array(0)
}

/**
 * Returns the name of an attribute.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function attributeName(name: unknown): string {
  if (typeof name === 'string' && name !== '') return name
  throw wrongOption('attribute', 'the name of an attribute', name)
}
