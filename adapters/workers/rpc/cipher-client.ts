import { integer, plainOptions, refuseOthers, wrongOption } from '../../../src/checks/index.ts'
import type { CallOptions, EnvelopeCipher } from '../../../src/index.ts'
import { callerOptions, decryptItem, encryptItem } from './client-options.ts'
import type { CipherService, EnvelopeFacts, ServiceInspectOptions } from './cipher-service.ts'
import { inParts } from './in-parts.ts'
import { ownBytes } from './own-bytes.ts'
import { ask, type RemoteCall } from './remote-call.ts'
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
  if (!['object', 'function'].includes(typeof binding) || (binding as unknown) === null) {
    throw wrongOption('binding', 'the service binding of a CipherEntrypoint', binding)
  }
  if (typeof key !== 'string' || key === '') throw wrongOption('key', 'the name of a cipher', key)
  const settings = { key, timeoutMs: integer('timeoutMs', timeoutMs, 1, 600_000) }
  return clientOf(binding, settings)
}

function clientOf(
  service: CipherService,
  { key, timeoutMs }: Required<CipherClientOptions>,
): CipherClient {
  const callOf = ({ signal }: CallOptions = {}): RemoteCall => ({ timeoutMs, signal })
  const optionsOf = (
    kind: Parameters<typeof callerOptions>[0],
    options: object | undefined,
  ): Record<string, unknown> => ({ ...callerOptions(kind, options), key })

  return {
    encrypt: async (plaintext, options) => {
      const [bytes, to] = [ownBytes(plaintext, 'plaintext'), optionsOf('message', options)]
      return ask('encrypt', callOf(options), () => service.encrypt(bytes, to))
    },
    decrypt: async (envelope, options) => {
      const [bytes, to] = [ownBytes(envelope, 'envelope'), optionsOf('message', options)]
      return ask('decrypt', callOf(options), () => service.decrypt(bytes, to))
    },
    encryptText: async (text, options) => {
      const to = optionsOf('message', options)
      return ask('encryptText', callOf(options), () => service.encryptText(text, to))
    },
    decryptText: async (text, options) => {
      const to = optionsOf('message', options)
      return ask('decryptText', callOf(options), () => service.decryptText(text, to))
    },
    encryptMany: async (items, options) => {
      const to = optionsOf('batch', options)
      return inParts('encryptMany', items.map(encryptItem), (part) =>
        ask('encryptMany', callOf(options), () => service.encryptMany(part, to)),
      )
    },
    decryptMany: async (items, options) => {
      const to = optionsOf('batch', options)
      return inParts('decryptMany', items.map(decryptItem), (part) =>
        ask('decryptMany', callOf(options), () => service.decryptMany(part, to)),
      )
    },
    rewrap: async (envelope, options) => {
      const [bytes, to] = [ownBytes(envelope, 'envelope'), optionsOf('rewrap', options)]
      return ask('rewrap', callOf(options), () => service.rewrap(bytes, to))
    },
    inspect: async (envelope, options) => {
      const isLong = typeof envelope !== 'string' && envelope.length > HEAD_BYTES
      const start = isLong ? envelope.subarray(0, HEAD_BYTES) : envelope
      const bytes = typeof start === 'string' ? start : ownBytes(start, 'envelope')
      const to = { ...optionsOf('inspect', options), ...(isLong && { prefix: true }) }
      return ask('inspect', callOf(options), () => service.inspect(bytes, to))
    },
    encryptStream: (options) => {
      const to = optionsOf('message', options)
      return remoteStream('encryptStream', callOf(options), (from) =>
        service.encryptStream(from, to),
      )
    },
    decryptStream: (options) => {
      const to = optionsOf('message', options)
      return remoteStream('decryptStream', callOf(options), (from) =>
        service.decryptStream(from, to),
      )
    },
    rewrapStream: (options) => {
      const to = optionsOf('rewrap', options)
      return remoteStream('rewrapStream', callOf(options), (from) => service.rewrapStream(from, to))
    },
  }
}
