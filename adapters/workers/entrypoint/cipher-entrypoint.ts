import type { Bytes } from '../../../src/bytes/index.ts'
import type { DecryptItem, EncryptItem, KmsResult } from '../../../src/index.ts'
import type {
  CipherService,
  EnvelopeFacts,
  ManyResult,
  NamedKey,
  ServiceDecryptManyOptions,
  ServiceDecryptOptions,
  ServiceEncryptOptions,
  ServiceInspectOptions,
  ServiceRewrapOptions,
  StreamResult,
} from '../rpc/cipher-service.ts'
import { ownBytes } from '../rpc/own-bytes.ts'
import { answerStream } from './answer-stream.ts'
import { factsOf } from './envelope-facts.ts'
import { EntrypointBase, type EntrypointContext, keepAlive } from './platform.ts'
import type { Ciphers } from './ready-ciphers.ts'
import { type Host, type Permitted, serve, type ServiceCall } from './serve.ts'
import { serveMany } from './serve-many.ts'

type Source = ReadableStream<Uint8Array>

/**
 * A `WorkerEntrypoint` to subclass: other Workers bind it and call its ciphers, but never hold a key.
 *
 * `ctx.props.policy` of the binding, a `PolicyConfig`, says which operations its Worker may call. Without a policy,
 * every operation is refused. Only plain values and streams of bytes cross the binding, and failures are results with
 * `ok: false`. Use `createCipherClient` in the other Worker: it throws them as errors.
 *
 * @remarks Security: every Worker that binds the subclass can call every method that you add to it, without a check
 * of the policy. `createCiphers` itself cannot be called by RPC.
 *
 * @example
 * ```ts
 * import { EnvelopeCipher } from 'edge-kms'
 * import { EnvKeyProvider } from 'edge-kms/local'
 * import { CipherEntrypoint, type Ciphers } from 'edge-kms/workers/entrypoint'
 *
 * export class Vault extends CipherEntrypoint<{ EDGE_KMS_KEY_V1: string }> {
 *   protected override createCiphers(env: { EDGE_KMS_KEY_V1: string }): Ciphers {
 *     return { default: new EnvelopeCipher({ kms: new EnvKeyProvider(env) }) }
 *   }
 * }
 * ```
 */
export abstract class CipherEntrypoint<Env = unknown>
  extends EntrypointBase<Env>
  implements CipherService
{
  constructor(ctx: EntrypointContext, env: Env) {
    super(ctx, env)
    // RPC reaches the methods of a prototype, and no field of an instance: a caller must not choose the env.
    const { createCiphers } = this as unknown as { createCiphers: unknown }
    const hidden = { value: createCiphers, configurable: true, writable: true }
    Object.defineProperty(this, 'createCiphers', hidden)
  }

  /**
   * Returns the ciphers by the names that policies and clients use; `default` is the one that a client uses if it
   * names none. Called by the first request of an isolate, and again after a failure; concurrent first requests
   * may call it more than once, and the result that is ready first is kept.
   */
  protected abstract createCiphers(env: Env): Ciphers | Promise<Ciphers>

  /** Encrypts bytes into one record. */
  encrypt(plaintext: Bytes, options?: ServiceEncryptOptions): Promise<KmsResult<Bytes>> {
    return this.#serve('encrypt', 'message', options, async ({ cipher, options: call }) =>
      ownBytes(await cipher.encrypt(plaintext, call), 'envelope'),
    )
  }

  /** Decrypts a record; other kinds only if `kinds` names them. */
  decrypt(envelope: Bytes, options?: ServiceDecryptOptions): Promise<KmsResult<Bytes>> {
    return this.#serve('decrypt', 'message', options, async ({ cipher, options: call }) =>
      ownBytes(await cipher.decrypt(envelope, call), 'plaintext'),
    )
  }

  /** Encrypts text into the text form. */
  encryptText(text: string, options?: ServiceEncryptOptions): Promise<KmsResult<string>> {
    return this.#serve('encrypt', 'message', options, ({ cipher, options: call }) =>
      cipher.encryptText(text, call),
    )
  }

  /** Decrypts the text form. */
  decryptText(text: string, options?: ServiceDecryptOptions): Promise<KmsResult<string>> {
    return this.#serve('decrypt', 'message', options, ({ cipher, options: call }) =>
      cipher.decryptText(text, call),
    )
  }

  /** Encrypts many records: one result for each item, in order. An item that is not allowed is refused alone. */
  encryptMany(items: readonly EncryptItem[], options?: NamedKey): ManyResult {
    return this.#serve('encrypt', 'batch', options, (permitted) =>
      serveMany('encrypt', permitted, items, (allowed) =>
        permitted.cipher.encryptMany(allowed, permitted.options),
      ),
    )
  }

  /** Decrypts many messages: one result for each item, in order. An item that is not allowed is refused alone. */
  decryptMany(items: readonly DecryptItem[], options?: ServiceDecryptManyOptions): ManyResult {
    return this.#serve('decrypt', 'batch', options, (permitted) =>
      serveMany('decrypt', permitted, items, (allowed) =>
        permitted.cipher.decryptMany(allowed, permitted.options),
      ),
    )
  }

  /** Encrypts a stream of any length. */
  encryptStream(source: Source, options?: ServiceEncryptOptions): StreamResult {
    return this.#serve('encrypt', 'message', options, ({ cipher, options: call }) =>
      answerStream(source, cipher.encryptStream(call)),
    )
  }

  /** Decrypts a stream message; records too if `kinds` names them. */
  decryptStream(source: Source, options?: ServiceDecryptOptions): StreamResult {
    return this.#serve('decrypt', 'message', options, ({ cipher, options: call }) =>
      answerStream(source, cipher.decryptStream(call)),
    )
  }

  /** Returns the same message under the KEKs that are configured now. */
  rewrap(envelope: Bytes, options?: ServiceRewrapOptions): Promise<KmsResult<Bytes>> {
    return this.#serve('rewrap', 'rewrap', options, async ({ cipher, options: call }) =>
      ownBytes(await cipher.rewrap(envelope, call), 'envelope'),
    )
  }

  /** Rewraps a message of any size. */
  rewrapStream(source: Source, options?: ServiceRewrapOptions): StreamResult {
    return this.#serve('rewrap', 'rewrap', options, ({ cipher, options: call }) =>
      answerStream(source, cipher.rewrapStream(call)),
    )
  }

  /** Returns what an envelope says about itself, unauthenticated, and whether this cipher has a key for it. */
  inspect(
    envelope: Bytes | string,
    options?: ServiceInspectOptions,
  ): Promise<KmsResult<EnvelopeFacts>> {
    return this.#serve('inspect', 'inspect', options, ({ cipher, options: call }) =>
      factsOf(cipher, envelope, call),
    )
  }

  #serve<T>(
    operation: ServiceCall['operation'],
    kind: ServiceCall['kind'],
    options: object | undefined,
    work: (permitted: Permitted) => T | Promise<T>,
  ): Promise<KmsResult<T>> {
    const host: Host = {
      owner: this.constructor,
      props: this.ctx.props,
      createCiphers: () => this.createCiphers(this.env),
      defer: keepAlive,
    }
    return serve(host, { operation, kind, options }, work)
  }
}
