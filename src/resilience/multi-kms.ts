import { KmsError, type Outcome, typedError } from '../errors.ts'
import {
  type GeneratedDataKey,
  type HealthReport,
  type KekVersion,
  type KeyManagementService,
  type KmsCallOptions,
  type KmsCapabilities,
  type KmsSignalOptions,
  refuseOthers,
  type SecretBytes,
  type UnwrappedDataKey,
  unwrapEach,
  type UnwrapRequest,
  type WrappedKey,
} from '../kms/index.ts'

/**
 * Several KEKs, of any vendors and regions, wrap one DEK. Writing needs all of them; reading needs
 * one. A member with `usage: 'decrypt'` only reads: so data moves from one KEK to another.
 *
 * @remarks Security: confidentiality is that of the weakest KEK in the list.
 *
 * @example
 * ```ts
 * import { EnvelopeCipher, type KeyManagementService, MultiKms } from 'edge-kms'
 *
 * // Reads what the old key wrapped, writes under the new one alone.
 * export async function move(oldKms: KeyManagementService, newKms: KeyManagementService, envelope: Uint8Array) {
 *   const cipher = new EnvelopeCipher({ kms: new MultiKms({ read: [newKms, oldKms], write: [newKms] }) })
 *   return cipher.rewrap(envelope, { context: { tenant: 'acme' } })
 * }
 * ```
 */
export class MultiKms implements KeyManagementService {
  readonly providerName: string = 'multi'
  readonly capabilities: KmsCapabilities
  readonly #read: readonly KeyManagementService[]
  readonly #write: readonly KeyManagementService[]

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: MultiKmsOptions) {
    const { read, write, ...others } = options
    refuseOthers(others)
    this.#read = listOf('read', read)
    this.#write = listOf('write', write ?? this.#read.filter(canWrite))
    if (this.#read.length + this.#write.length === 0) throw config('no KMS is given')
    if (this.#read.some((kms) => kms.capabilities.usage === 'encrypt')) {
      throw config('a KMS to read from is configured to encrypt only')
    }
    if (!this.#write.every(canWrite))
      throw config('a KMS to write to is configured to decrypt only')
    this.capabilities = Object.freeze(combine(this.#read, this.#write))
  }

  canUnwrap(wrap: WrappedKey): boolean {
    return this.#read.some((kms) => kms.canUnwrap(wrap))
  }

  async generateDataKey(options: KmsCallOptions): Promise<GeneratedDataKey> {
    const [first, ...others] = this.#writers()
    const { plaintext, wraps } = await first.generateDataKey(options)
    try {
      demandOwn(first, wraps)
      const more = await Promise.all(others.map((kms) => wrapUnder(kms, plaintext, options)))
      return { plaintext, wraps: [...wraps, ...more.flat()] } // W3.17
    } catch (error) {
      plaintext.dispose()
      throw error
    }
  }

  async wrapDataKey(
    plaintext: SecretBytes,
    options: KmsCallOptions,
  ): Promise<readonly WrappedKey[]> {
    const wraps = await Promise.all(
      this.#writers().map((kms) => wrapUnder(kms, plaintext, options)),
    )
    return wraps.flat()
  }

  /** W3.28: in the order of the configuration; a KEK that is down or does not open gives way to the next. */
  async unwrapDataKey(
    wraps: readonly WrappedKey[],
    options: KmsCallOptions,
  ): Promise<UnwrappedDataKey> {
    let failure = new KmsError('ERR_ENVELOPE_UNKNOWN_KEY')
    for (const kms of this.#read) {
      const ours = wraps.filter((wrap) => kms.canUnwrap(wrap))
      if (ours.length === 0) continue
      try {
        return await kms.unwrapDataKey(ours, options)
      } catch (error) {
        failure = worse(failure, typedError(error, 'ERR_KMS_UNAVAILABLE', options.signal))
      }
    }
    throw failure
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
    const { plaintext } = await this.unwrapDataKey(wraps, options)
    try {
      return await this.wrapDataKey(plaintext, options)
    } finally {
      plaintext.dispose()
    }
  }

  async currentVersion(options: KmsSignalOptions): Promise<readonly KekVersion[]> {
    return (await Promise.all(this.#writers().map((kms) => kms.currentVersion(options)))).flat()
  }

  async rotateKey(options: KmsSignalOptions): Promise<readonly KekVersion[]> {
    const versions: KekVersion[] = []
    if (!this.capabilities.rotates) throw new KmsError('ERR_KMS_UNSUPPORTED', { provider: 'multi' })
    for (const kms of this.#writers()) versions.push(...(await kms.rotateKey(options)))
    return versions
  }

  async healthCheck(options: KmsSignalOptions): Promise<HealthReport> {
    const members = [...new Set([...this.#write, ...this.#read])]
    const reports = await Promise.all(members.map((kms) => kms.healthCheck(options)))
    return {
      healthy: reports.every((report) => report.healthy),
      checks: reports.flatMap((report) => report.checks),
    }
  }

  #writers(): readonly [KeyManagementService, ...KeyManagementService[]] {
    const [first, ...others] = this.#write
    if (first === undefined) {
      throw new KmsError('ERR_KMS_UNSUPPORTED', { message: 'no KMS to write to is configured' })
    }
    return [first, ...others]
  }
}

/** Options of {@link MultiKms}. */
export interface MultiKmsOptions {
  /** Tried in this order to unwrap. */
  readonly read: readonly KeyManagementService[]
  /** All of these wrap, the first makes the DEK. By default those of `read` that may encrypt. */
  readonly write?: readonly KeyManagementService[]
}

function listOf(name: string, list: readonly KeyManagementService[]): KeyManagementService[] {
  const isService = (kms: Partial<KeyManagementService> | null): boolean =>
    typeof kms?.unwrapDataKey === 'function'
  if (Array.isArray(list) && list.every(isService))
    return [...(list as readonly KeyManagementService[])]
  throw config(`${name} must be a list of KMSs`)
}

function canWrite(kms: KeyManagementService): boolean {
  return kms.capabilities.usage !== 'decrypt'
}

async function wrapUnder(
  kms: KeyManagementService,
  plaintext: SecretBytes,
  options: KmsCallOptions,
): Promise<readonly WrappedKey[]> {
  const wraps = await kms.wrapDataKey(plaintext, options)
  demandOwn(kms, wraps)
  return wraps
}

/** A member whose wraps are not under its own keys must not be hidden by the others. */
function demandOwn(kms: KeyManagementService, wraps: readonly WrappedKey[]): void {
  const { usage } = kms.capabilities
  if (wraps.length > 0 && (usage === 'encrypt' || wraps.every((wrap) => kms.canUnwrap(wrap))))
    return
  throw new KmsError('ERR_KMS_RESPONSE_INVALID', { provider: kms.providerName })
}

/** What can pass counts over what cannot: a message that may open later is not a bad message. */
function worse(held: KmsError, next: KmsError): KmsError {
  if (held.code === 'ERR_ENVELOPE_UNKNOWN_KEY') return next
  if (held.retryable) return held
  return next.retryable || held.code === 'ERR_DECRYPT_FAILED' ? next : held
}

function combine(
  read: readonly KeyManagementService[],
  write: readonly KeyManagementService[],
): KmsCapabilities {
  const all = [...read, ...write].map((kms) => kms.capabilities)
  return {
    usage: write.length === 0 ? 'decrypt' : read.length === 0 ? 'encrypt' : 'both',
    bindsContext: all.every((one) => one.bindsContext),
    rewrapsInside: false,
    rotates: write.length > 0 && write.every((kms) => kms.capabilities.rotates),
    revealsVersion: all.every((one) => one.revealsVersion),
    batches: false,
    limits: {
      maxWrappedBytes: Math.max(...all.map((one) => one.limits.maxWrappedBytes)),
      maxContextBytes: Math.min(...all.map((one) => one.limits.maxContextBytes)),
    },
  }
}

function config(message: string): KmsError {
  return new KmsError('ERR_KMS_CONFIG', { message, provider: 'multi' })
}
