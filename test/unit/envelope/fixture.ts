import type {
  GeneratedDataKey,
  HealthReport,
  KekVersion,
  KeyManagementService,
  KmsCallOptions,
  KmsCapabilities,
  KmsSignalOptions,
  Outcome,
  SecretBytes,
  UnwrappedDataKey,
  UnwrapRequest,
  WrappedKey,
} from '../../../src/index.ts'

/** Any KMS, with each call that would go over a network counted by name. */
export class CountingKms implements KeyManagementService {
  readonly providerName: string
  readonly capabilities: KmsCapabilities
  readonly calls: string[] = []
  readonly #inner: KeyManagementService

  constructor(inner: KeyManagementService) {
    this.#inner = inner
    this.providerName = inner.providerName
    this.capabilities = inner.capabilities
  }

  count(name: string): number {
    return this.calls.filter((call) => call === name).length
  }

  canUnwrap(wrap: WrappedKey): boolean {
    return this.#inner.canUnwrap(wrap)
  }

  generateDataKey(options: KmsCallOptions): Promise<GeneratedDataKey> {
    this.calls.push('generate')
    return this.#inner.generateDataKey(options)
  }

  wrapDataKey(plaintext: SecretBytes, options: KmsCallOptions): Promise<readonly WrappedKey[]> {
    this.calls.push('wrap')
    return this.#inner.wrapDataKey(plaintext, options)
  }

  unwrapDataKey(wraps: readonly WrappedKey[], options: KmsCallOptions): Promise<UnwrappedDataKey> {
    this.calls.push('unwrap')
    return this.#inner.unwrapDataKey(wraps, options)
  }

  unwrapMany(
    items: readonly UnwrapRequest[],
    options: KmsSignalOptions,
  ): Promise<readonly Outcome<UnwrappedDataKey>[]> {
    for (const _ of items) this.calls.push('unwrap')
    return this.#inner.unwrapMany(items, options)
  }

  rewrapDataKey(
    wraps: readonly WrappedKey[],
    options: KmsCallOptions,
  ): Promise<readonly WrappedKey[]> {
    this.calls.push('rewrap')
    return this.#inner.rewrapDataKey(wraps, options)
  }

  currentVersion(options: KmsSignalOptions): Promise<readonly KekVersion[]> {
    this.calls.push('version')
    return this.#inner.currentVersion(options)
  }

  rotateKey(options: KmsSignalOptions): Promise<readonly KekVersion[]> {
    this.calls.push('rotate')
    return this.#inner.rotateKey(options)
  }

  healthCheck(options: KmsSignalOptions): Promise<HealthReport> {
    this.calls.push('health')
    return this.#inner.healthCheck(options)
  }
}

/** A copy with one bit changed; a negative place counts from the end. */
export function flipped(message: Uint8Array, at: number): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(message)
  const place = at < 0 ? copy.length + at : at
  copy[place] = (copy[place] as number) ^ 1
  return copy
}

/** A copy with one byte set. */
export function changed(message: Uint8Array, at: number, value: number): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(message)
  copy[at] = value
  return copy
}
