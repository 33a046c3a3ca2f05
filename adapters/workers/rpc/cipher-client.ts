import { type Bytes, toBytes } from '../../../src/bytes/index.ts'
import {
  integer,
  isPlain,
  plainOptions,
  refuseOthers,
  wrongOption,
} from '../../../src/checks/index.ts'
import type { CallOptions, EnvelopeCipher, Outcome } from '../../../src/index.ts'
import { callerOptions, decryptItem, encryptItem } from './client-options.ts'
import type { CipherService, EnvelopeFacts, ServiceInspectOptions } from './cipher-service.ts'
import { inParts, type Prepared } from './in-parts.ts'
import { ownBytes } from './own-bytes.ts'
import { ask, isBytes, type IsValue, type RemoteCall } from './remote-call.ts'
import { remoteStream } from './remote-stream.ts'

/** Options of {@link createCipherClient}. */
export interface CipherClientOptions {
  /** The name of the cipher in the service's `createCiphers`; `default` by default. */
  readonly key?: string
  /** How long a call, or the start of a stream, waits for the service, in milliseconds, 1 to 600,000; 30,000 by default. */
  readonly timeoutMs?: number
}

type Shared =
  | 'encrypt'
  | 'decrypt'
  | 'encryptText'
  | 'decryptText'
  | 'encryptMany'
  | 'decryptMany'
  | 'encryptStream'
  | 'decryptStream'
  | 'rewrap'
  | 'rewrapStream'

/** Methods of an `EnvelopeCipher` whose keys are in another Worker. */
export interface CipherClient extends Pick<EnvelopeCipher, Shared> {
  /**
   * Returns what an envelope says about itself, and whether the service has a key for it. Nothing of it is
   * authenticated.
   *
   * @param envelope - bytes or the text form; of more than 72 KiB of bytes only the head is sent
   * @throws KmsError `ERR_WIRE_MALFORMED` and the other codes of `EncryptedEnvelope.parse`, `ERR_KMS_ACCESS_DENIED`
   */
  inspect(
    envelope: Uint8Array | string,
    options?: Omit<ServiceInspectOptions, 'key'> & Pick<CallOptions, 'signal'>,
  ): Promise<EnvelopeFacts>
}

/** Every head of a message fits. */
const HEAD_BYTES = 72 * 1_024

const isText: IsValue = (value) => typeof value === 'string'

type Prepare<T> = (item: T | undefined, i: number) => Prepared<T>

/**
 * Returns the methods of an `EnvelopeCipher` over a service binding to a `CipherEntrypoint`. They throw
 * `KmsError` with the code and `retryable` of the service.
 *
 * A `signal` ends the wait here, and a stream; the service ends its work by its own deadline. `defer` is
 * ignored: the service keeps its own work alive. One call carries at most 32 MiB; batches are split, and
 * streams have no limit.
 *
 * @throws KmsError `ERR_KMS_CONFIG`; the methods also `ERR_KMS_ACCESS_DENIED` for what the binding's props do
 * not allow, `ERR_KMS_UNAVAILABLE` and `ERR_KMS_TIMEOUT` if the service does not answer
 *
 * @example
 * ```ts
 * import { type CipherService, createCipherClient } from 'edge-kms/workers'
 *
 * export default {
 *   async fetch(request: Request, env: { KMS: CipherService }): Promise<Response> {
 *     const cipher = createCipherClient(env.KMS)
 *     const context = { tenant: 'tenant-a/eu' }
 *     const envelope = await cipher.encrypt(new Uint8Array(await request.arrayBuffer()), { context })
 *     return new Response(envelope)
 *   },
 * }
 * ```
 */
export function createCipherClient(
  binding: CipherService,
  options: CipherClientOptions = {},
): CipherClient {
  const { key = 'default', timeoutMs = 30_000, ...others } = plainOptions(options)
  refuseOthers(others)
  // Every name of a stub is a function, so that no method can be looked for.
  if (Object(binding) !== binding) {
    throw wrongOption('binding', 'the service binding of a CipherEntrypoint', binding)
  }
  if (typeof key !== 'string' || key === '') throw wrongOption('key', 'the name of a cipher', key)
  const settings = { key, timeoutMs: integer('timeoutMs', timeoutMs, 1, 600_000) }
  return clientOf(binding, settings)
}

type KindOfCall = Parameters<typeof callerOptions>[0]

function clientOf(
  service: CipherService,
  { key, timeoutMs }: Required<CipherClientOptions>,
): CipherClient {
  const callOf = ({ signal }: CallOptions = {}): RemoteCall => ({ timeoutMs, signal })
  const optionsOf = (kind: KindOfCall, options: object | undefined): Record<string, unknown> => ({
    ...callerOptions(kind, options),
    key,
  })

  const bytesBy =
    (operation: 'encrypt' | 'decrypt' | 'rewrap', name: string, kind: KindOfCall) =>
    async (given: Uint8Array, options?: CallOptions): Promise<Bytes> => {
      const [bytes, to] = [ownBytes(given, name), optionsOf(kind, options)]
      return ask(operation, callOf(options), () => service[operation](bytes, to), isBytes)
    }
  const textBy =
    (operation: 'encryptText' | 'decryptText') =>
    async (text: string, options?: CallOptions): Promise<string> => {
      const to = optionsOf('message', options)
      return ask(operation, callOf(options), () => service[operation](text, to), isText)
    }
  const streamBy =
    (operation: 'encryptStream' | 'decryptStream' | 'rewrapStream', kind: KindOfCall) =>
    (options?: CallOptions): TransformStream<Uint8Array, Uint8Array> => {
      const to = optionsOf(kind, options)
      return remoteStream(operation, callOf(options), (from) => service[operation](from, to))
    }
  const manyBy =
    <T>(operation: 'encryptMany' | 'decryptMany', prepare: Prepare<T>) =>
    async (items: readonly T[], options?: CallOptions): Promise<readonly Outcome<Bytes>[]> => {
      const [to, call] = [optionsOf('batch', options), callOf(options)]
      if (!Array.isArray(items)) throw new TypeError('items must be an array')
      return inParts(operation, Array.from(items as readonly T[], prepare), (part) =>
        // An answer that is too short would give one item the outcome of another.
        ask(
          operation,
          call,
          () => service[operation](part as never, to),
          (value) => Array.isArray(value) && value.length === part.length,
        ),
      )
    }

  return {
    encrypt: bytesBy('encrypt', 'plaintext', 'message'),
    decrypt: bytesBy('decrypt', 'envelope', 'message'),
    rewrap: bytesBy('rewrap', 'envelope', 'rewrap'),
    encryptText: textBy('encryptText'),
    decryptText: textBy('decryptText'),
    encryptMany: manyBy('encryptMany', encryptItem),
    decryptMany: manyBy('decryptMany', decryptItem),
    encryptStream: streamBy('encryptStream', 'message'),
    decryptStream: streamBy('decryptStream', 'message'),
    rewrapStream: streamBy('rewrapStream', 'rewrap'),
    inspect: async (envelope, options) => {
      const given =
        typeof envelope === 'string'
          ? envelope
          : ownBytes(toBytes(envelope, 'envelope').subarray(0, HEAD_BYTES), 'envelope')
      const isCut = given.length < envelope.length
      const to = { ...optionsOf('inspect', options), ...(isCut && { prefix: true }) }
      return ask('inspect', callOf(options), () => service.inspect(given, to), isPlain)
    },
  }
}
