import { LOCAL_WRAP_BYTES, unwrapLocally, wrapLocally, XAES } from '../../ciphers/index.ts'
import { oneOf, plainOptions, refuseOthers, wrongOption } from '../../checks/index.ts'
import { isKmsError, KmsError, type Outcome } from '../../errors.ts'
import {
  CONTEXT_LIMITS,
  demandUsage,
  encodeKmsContext,
  firstThatOpens,
  type GeneratedDataKey,
  healthOf,
  type HealthReport,
  type KekVersion,
  type KeyManagementService,
  type KmsCallOptions,
  type KmsCapabilities,
  type KmsSignalOptions,
  rewrapByUnwrapping,
  SecretBytes,
  unwrapEach,
  type UnwrappedDataKey,
  type UnwrapRequest,
  type WrappedKey,
} from '../../kms/index.ts'
import type { Runtime } from '../../ports/index.ts'
import { askCallback, webRuntime } from '../../runtime/index.ts'
import { LocalKeyRing, type LocalKeyVersion } from './local-key-ring.ts'

const PROVIDER = 'local'

/** Options of `createLocalKms`. */
export interface LocalKmsOptions {
  /** The key's name in envelopes, 1 to 2,048 bytes; `app` by default. */
  readonly kekId?: string
  readonly versions: readonly LocalKeyVersion[]
  /**
   * Whether this instance may make and wrap data keys (`encrypt`), unwrap them (`decrypt`), or both; `both` by
   * default. A rewrap needs `both`.
   */
  readonly usage?: KmsCapabilities['usage']
  /**
   * Called by `rotateKey` with the new version, before it is used. It must store the key durably: if the key is lost,
   * everything under it is lost. Without it, `rotateKey` is not supported.
   */
  readonly onRotate?: (version: {
    readonly version: number
    readonly key: SecretBytes
  }) => Promise<void>
  readonly runtime?: Runtime
}

/** A KMS whose KEK lives in this process: for development, tests, and data that needs no more. */
export class LocalKms implements KeyManagementService {
  readonly providerName: string = PROVIDER
  readonly capabilities: KmsCapabilities
  readonly #kekId: string
  readonly #ring: LocalKeyRing
  readonly #runtime: Runtime
  readonly #onRotate: LocalKmsOptions['onRotate']
  #lastVersion = 0

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: LocalKmsOptions) {
    const {
      kekId = 'app',
      versions,
      usage = 'both',
      onRotate,
      runtime,
      ...others
    } = plainOptions(options)
    refuseOthers(others)
    oneOf('usage', usage, ['both', 'encrypt', 'decrypt'])
    if (!['function', 'undefined'].includes(typeof onRotate))
      throw wrongOption('onRotate', 'a function', onRotate)
    if (!Array.isArray(versions)) throw wrongOption('versions', 'an array', versions)
    this.#kekId = checkKekId(kekId)
    this.#ring = new LocalKeyRing(versions as readonly LocalKeyVersion[])
    this.#runtime = runtime ?? webRuntime
    this.#onRotate = onRotate
    this.capabilities = Object.freeze({
      usage,
      bindsContext: true,
      rewrapsInside: false,
      rotates: onRotate !== undefined,
      revealsVersion: true,
      batches: false,
      limits: {
        maxWrappedBytes: LOCAL_WRAP_BYTES,
        maxContextBytes: CONTEXT_LIMITS.maxContextBytes + 128,
      },
      keks: [this.#kekId],
    })
  }

  canUnwrap(wrap: WrappedKey): boolean {
    return wrap.provider === PROVIDER && wrap.kekId === this.#kekId
  }

  async generateDataKey(options: KmsCallOptions): Promise<GeneratedDataKey> {
    demandUsage(this, 'encrypt')
    const plaintext = SecretBytes.take(this.#runtime.randomFill(new Uint8Array(32)))
    try {
      return { plaintext, wraps: await this.wrapDataKey(plaintext, options) }
    } catch (error) {
      plaintext.dispose()
      throw error
    }
  }

  async wrapDataKey(
    plaintext: SecretBytes,
    options: KmsCallOptions,
  ): Promise<readonly WrappedKey[]> {
    demandUsage(this, 'encrypt')
    options.signal?.throwIfAborted()
    if (plaintext.length !== 32) throw new TypeError('a DEK has 32 bytes')
    const kek = this.#ring.current
    if (kek.retired) {
      throw new KmsError('ERR_KMS_KEY_DISABLED', {
        message: 'the current key version is retired: it unwraps but does not wrap',
        provider: PROVIDER,
      })
    }
    const dek = SecretBytes.copy(plaintext.expose())
    try {
      const key = await kek.key()
      const kekVersion = String(kek.version)
      const nonce = this.#runtime.randomFill(new Uint8Array(XAES.nonceBytes))
      const binding = { kekId: this.#kekId, kekVersion, context: encodeKmsContext(options.context) }
      const wrapped = await wrapLocally(key, dek, nonce, binding)
      return [{ provider: PROVIDER, kekId: this.#kekId, kekVersion, wrapped }]
    } finally {
      dek.dispose()
    }
  }

  async unwrapDataKey(
    wraps: readonly WrappedKey[],
    options: KmsCallOptions,
  ): Promise<UnwrappedDataKey> {
    demandUsage(this, 'decrypt')
    const ours = wraps.filter((wrap) => this.canUnwrap(wrap))
    if (ours.length > 0) this.#ring.demandOneOf(ours.map(({ kekVersion }) => kekVersion))
    const context = encodeKmsContext(options.context)
    return firstThatOpens(PROVIDER, ours, options.signal, async (by) => {
      const plaintext = await this.#open(by, context)
      const current = by.kekVersion === String(this.#ring.current.version)
      return plaintext && { plaintext, by, current }
    })
  }

  unwrapMany(
    items: readonly UnwrapRequest[],
    options: KmsSignalOptions,
  ): Promise<readonly Outcome<UnwrappedDataKey>[]> {
    return unwrapEach(this, items, options)
  }

  async rewrapDataKey(
    wraps: readonly WrappedKey[],
    options: KmsCallOptions,
  ): Promise<readonly WrappedKey[]> {
    return rewrapByUnwrapping(this, wraps, options)
  }

  currentVersion(options: KmsSignalOptions = {}): Promise<readonly KekVersion[]> {
    if (options.signal?.aborted === true) return Promise.reject(options.signal.reason as Error)
    return Promise.resolve([this.#versionOf(this.#ring.current.version)])
  }

  async rotateKey(options: KmsSignalOptions = {}): Promise<readonly KekVersion[]> {
    options.signal?.throwIfAborted()
    const onRotate = this.#onRotate
    if (onRotate === undefined) {
      throw new KmsError('ERR_KMS_UNSUPPORTED', {
        message: 'a local key rotates only where onRotate stores the new version',
        provider: PROVIDER,
      })
    }
    // Taken before anything is awaited: two rotations at once must not make one version twice.
    const version = Math.max(this.#ring.current.version, this.#lastVersion) + 1
    this.#lastVersion = version
    const key = SecretBytes.take(this.#runtime.randomFill(new Uint8Array(32)))
    try {
      await askCallback(() => onRotate({ version, key }), {
        name: 'onRotate',
        provider: PROVIDER,
        signal: options.signal,
      })
      this.#ring.add({ version, key: key.expose() })
    } finally {
      key.dispose()
    }
    return [this.#versionOf(version)]
  }

  healthCheck(options: KmsSignalOptions = {}): Promise<HealthReport> {
    return healthOf(PROVIDER, this.#kekId, options, async () => {
      const context = Object.freeze({ 'edge-kms:dk': 'health' })
      if (this.capabilities.usage === 'decrypt') await this.#ring.current.key()
      else (await this.generateDataKey({ ...options, context })).plaintext.dispose()
    })
  }

  /** The DEK, or `undefined` where this wrap does not open. */
  async #open(
    wrap: WrappedKey,
    context: Uint8Array<ArrayBuffer>,
  ): Promise<SecretBytes | undefined> {
    const kek = this.#ring.find(wrap.kekVersion)
    if (kek === undefined) return undefined
    const binding = { kekId: wrap.kekId, kekVersion: wrap.kekVersion, context }
    try {
      return SecretBytes.take(await unwrapLocally(await kek.key(), wrap.wrapped, binding))
    } catch (error) {
      if (isKmsError(error, 'ERR_DECRYPT_FAILED')) return undefined
      throw error
    }
  }

  #versionOf(version: number): KekVersion {
    return { provider: PROVIDER, kekId: this.#kekId, kekVersion: String(version) }
  }
}

function checkKekId(kekId: string): string {
  // Printable ASCII: one name has one byte form, and it can stand in a log line.
  if (typeof kekId === 'string' && /^[\x21-\x7e]{1,255}$/.test(kekId)) return kekId // W3.33
  throw new KmsError('ERR_KMS_CONFIG', {
    message: 'kekId must be 1 to 255 printable ASCII characters without spaces',
    provider: PROVIDER,
  })
}
