import { KmsError, type KmsErrorCode } from '../../src/errors.ts'
import {
  type GeneratedDataKey,
  type HealthReport,
  type KekVersion,
  type KeyManagementService,
  type KmsCallOptions,
  type KmsCapabilities,
  type KmsSignalOptions,
  type Outcome,
  SecretBytes,
  type UnwrappedDataKey,
  unwrapEach,
  type UnwrapRequest,
  type WrappedKey,
} from '../../src/index.ts'

/** A step that a call makes before it answers: nothing, throw, or wait. */
export type Step = () => void | Promise<void>

/** Throws this code. */
export const fail =
  (code: KmsErrorCode, details: ConstructorParameters<typeof KmsError>[1] = {}): Step =>
  () => {
    throw new KmsError(code, details)
  }

/** Never answers, and does not listen to the signal. */
export const hang: Step = () => new Promise(() => undefined)

/** A KMS that follows a script. A wrap is the DEK as it is. */
export class ScriptedKms implements KeyManagementService {
  readonly providerName: string
  readonly capabilities: KmsCapabilities
  readonly calls: string[] = []
  readonly given: KmsSignalOptions[] = []
  readonly made: SecretBytes[] = []
  /** For each call in turn; after its end, `always`. */
  script: Step[] = []
  always: Step = () => undefined

  constructor(providerName = 'scripted', capabilities: Partial<KmsCapabilities> = {}) {
    this.providerName = providerName
    this.capabilities = {
      usage: 'both',
      bindsContext: false,
      rewrapsInside: false,
      rotates: true,
      revealsVersion: false,
      batches: false,
      limits: { maxWrappedBytes: 6_144, maxContextBytes: 8_192 },
      ...capabilities,
    }
  }

  canUnwrap(wrap: WrappedKey): boolean {
    return wrap.provider === this.providerName
  }

  async generateDataKey(options: KmsCallOptions): Promise<GeneratedDataKey> {
    await this.#step('generateDataKey', options)
    const plaintext = this.#secret(new Uint8Array(32).fill(7))
    return { plaintext, wraps: [this.#wrap(plaintext)] }
  }

  async wrapDataKey(
    plaintext: SecretBytes,
    options: KmsCallOptions,
  ): Promise<readonly WrappedKey[]> {
    await this.#step('wrapDataKey', options)
    return [this.#wrap(plaintext)]
  }

  async unwrapDataKey(
    wraps: readonly WrappedKey[],
    options: KmsCallOptions,
  ): Promise<UnwrappedDataKey> {
    const by = wraps.find((wrap) => this.canUnwrap(wrap))
    if (by === undefined) throw new KmsError('ERR_ENVELOPE_UNKNOWN_KEY')
    await this.#step('unwrapDataKey', options)
    return { plaintext: this.#secret(by.wrapped), by }
  }

  async unwrapMany(
    items: readonly UnwrapRequest[],
    options: KmsSignalOptions,
  ): Promise<readonly Outcome<UnwrappedDataKey>[]> {
    if (this.capabilities.batches) await this.#step(`unwrapMany ${items.length}`, options)
    return unwrapEach(this, items, options)
  }

  async rewrapDataKey(
    wraps: readonly WrappedKey[],
    options: KmsCallOptions,
  ): Promise<readonly WrappedKey[]> {
    await this.#step('rewrapDataKey', options)
    return wraps.filter((wrap) => this.canUnwrap(wrap))
  }

  async currentVersion(options: KmsSignalOptions): Promise<readonly KekVersion[]> {
    await this.#step('currentVersion', options)
    return [{ provider: this.providerName, kekId: 'k', kekVersion: '' }]
  }

  async rotateKey(options: KmsSignalOptions): Promise<readonly KekVersion[]> {
    await this.#step('rotateKey', options)
    return [{ provider: this.providerName, kekId: 'k', kekVersion: '' }]
  }

  async healthCheck(options: KmsSignalOptions): Promise<HealthReport> {
    await this.#step('healthCheck', options)
    const check = { provider: this.providerName, kekId: 'k', healthy: true }
    return { healthy: true, checks: [check] }
  }

  async #step(name: string, options: KmsSignalOptions): Promise<void> {
    this.calls.push(name)
    this.given.push(options)
    await (this.script.shift() ?? this.always)()
  }

  #wrap(plaintext: SecretBytes): WrappedKey {
    const { providerName: provider } = this
    return { provider, kekId: 'k', kekVersion: '', wrapped: plaintext.expose().slice() }
  }

  #secret(bytes: Uint8Array): SecretBytes {
    const secret = SecretBytes.copy(bytes)
    this.made.push(secret)
    return secret
  }
}
