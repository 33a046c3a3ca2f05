import { equalBytes } from '../bytes/index.ts'
import { plainOptions } from '../checks/index.ts'
import { KmsError, type Outcome } from '../errors.ts'
import {
  areVersions,
  checkAnswer,
  type EncryptionContext,
  type GeneratedDataKey,
  type HealthReport,
  type KekVersion,
  type KeyManagementService,
  type KmsCallOptions,
  type KmsCapabilities,
  type KmsKekOptions,
  type KmsSignalOptions,
  recognizes,
  type SecretBytes,
  typedCall,
  type UnwrappedDataKey,
  unwrapEach,
  type UnwrapRequest,
  type WrappedKey,
} from '../kms/index.ts'
import { firstToOpen } from './first-to-open.ts'
import { combinedCapabilities, memberReport } from './members.ts'
import { type MultiKmsOptions, multiSettings, type MultiSettings } from './multi-options.ts'
import { openInBatches } from './open-in-batches.ts'
import { firstToGenerate, noteMissing, wrapUnderEnough } from './quorum-write.ts'
import { Readers } from './readers.ts'

const DEK_BYTES = 32
/** Hedges that may be saved up. */
const MAX_HEDGES = 10

/**
 * Wraps each DEK under several KEKs, of any vendors and regions. Reading requires one of them. Writing requires all,
 * or a quorum; missing wraps are then noted for repair. Rewrapping always requires all. A member with
 * `usage: 'decrypt'` only reads: use it to move data from one KEK to another.
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
  readonly #settings: MultiSettings
  readonly #readers: Readers
  #hedges = 1

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: MultiKmsOptions) {
    this.#settings = multiSettings(options)
    const { read, write } = this.#settings
    this.#readers = new Readers(this.#settings)
    this.capabilities = Object.freeze(combinedCapabilities(read, write))
  }

  canUnwrap(wrap: WrappedKey, context?: EncryptionContext): boolean {
    return this.#settings.read.some((kms) => recognizes(kms, wrap, context))
  }

  async generateDataKey(options: KmsCallOptions): Promise<GeneratedDataKey> {
    const { write, quorum } = this.#settings
    const { plaintext, wraps, maker, down } = await firstToGenerate(
      this.#settings,
      plainOptions(options),
    )
    try {
      const others = write.filter((kms) => kms !== maker && !down.includes(kms))
      const more = await wrapUnderEnough(this.#settings, others, quorum - 1, plaintext, options)
      const left = others.filter((_, i) => more[i] === undefined)
      const missing = write.filter((kms) => down.includes(kms) || left.includes(kms))
      await noteMissing(this.#settings, missing, options)
      return { plaintext, wraps: [...wraps, ...more.flatMap((made) => made ?? [])] } // W3.17
    } catch (error) {
      plaintext.dispose()
      throw error
    }
  }

  /**
   * Wraps a DEK under every KEK to write to, whatever the write policy: an existing DEK may already have all wraps,
   * and if a rewrap lost one, readers that have only that KEK could no longer open it.
   */
  async wrapDataKey(
    plaintext: SecretBytes,
    options: KmsCallOptions,
  ): Promise<readonly WrappedKey[]> {
    plainOptions(options).signal?.throwIfAborted()
    const { write } = this.#settings
    this.#demandWriters()
    const made = await wrapUnderEnough(this.#settings, write, write.length, plaintext, options)
    return made.flatMap((wraps) => wraps ?? [])
  }

  /**
   * Tries the KEKs in this reader's own order (W3.28). If a KEK is down or does not open its wrap, it tries the next
   * one.
   */
  async unwrapDataKey(
    wraps: readonly WrappedKey[],
    options: KmsCallOptions,
  ): Promise<UnwrappedDataKey> {
    const { hedge, ports } = this.#settings
    const openers = this.#readers.openersOf(wraps, plainOptions(options).context)
    this.#hedges = Math.min(MAX_HEDGES, this.#hedges + (hedge?.budget ?? 0))
    return firstToOpen(openers, options, {
      ports,
      hedgeAfterMs: hedge?.afterMs,
      payHedge: () => this.#hedges >= 1 && (this.#hedges--, true),
    })
  }

  /**
   * Sends one batch to each KEK that supports batches. The items that a KEK does not open go, as one batch again, to
   * the next KEK that they have a wrap of. Batches are not hedged.
   */
  unwrapMany(
    items: readonly UnwrapRequest[],
    options: KmsSignalOptions,
  ): Promise<readonly Outcome<UnwrappedDataKey>[]> {
    if (!this.capabilities.batches) return unwrapEach(this, items, options)
    return openInBatches(items, this.#readers.batchOpeners(), options, this.#settings.ports)
  }

  /** Unwraps the DEK, and wraps it as {@link MultiKms.wrapDataKey} does. */
  async rewrapDataKey(
    wraps: readonly WrappedKey[],
    options: KmsCallOptions,
  ): Promise<readonly WrappedKey[]> {
    this.#demandWriters()
    const plaintext = await this.#dekOf(wraps, options)
    try {
      return await this.wrapDataKey(plaintext, options)
    } finally {
      plaintext.dispose()
    }
  }

  async currentVersion(options: KmsKekOptions = {}): Promise<readonly KekVersion[]> {
    this.#demandWriters()
    const { write } = this.#settings
    const versions = write.map(async (kms) =>
      checkAnswer(
        kms.providerName,
        await typedCall(options.signal, () => kms.currentVersion(options)),
        areVersions,
      ),
    )
    return (await Promise.all(versions)).flat()
  }

  async rotateKey(options: KmsKekOptions = {}): Promise<readonly KekVersion[]> {
    const versions: KekVersion[] = []
    if (!this.capabilities.rotates) {
      const message = 'not every KMS to write to can rotate: rotate them one by one'
      throw new KmsError('ERR_KMS_UNSUPPORTED', { provider: 'multi', message })
    }
    for (const kms of this.#settings.write) {
      const made = await typedCall(options.signal, () => kms.rotateKey(options))
      versions.push(...checkAnswer(kms.providerName, made, areVersions))
    }
    return versions
  }

  async healthCheck(options: KmsKekOptions = {}): Promise<HealthReport> {
    const { read, write } = this.#settings
    const members = [...new Set([...write, ...read])]
    const reports = await Promise.all(members.map((kms) => memberReport(kms, options)))
    return {
      healthy: reports.every((report) => report.healthy),
      checks: reports.flatMap((report) => report.checks),
    }
  }

  /** Returns the DEK of the first wrap that opens to 32 bytes: others were planted. */
  async #dekOf(wraps: readonly WrappedKey[], options: KmsCallOptions): Promise<SecretBytes> {
    const { plaintext, by } = await this.unwrapDataKey(wraps, options)
    if (plaintext.length === DEK_BYTES) return plaintext
    plaintext.dispose()
    const left = wraps.filter(({ wrapped }) => !equalBytes(wrapped, by.wrapped))
    // A member may name a wrap that it was not given.
    if (left.length === wraps.length || !left.some((wrap) => this.canUnwrap(wrap, options.context)))
      throw new KmsError('ERR_DECRYPT_FAILED')
    return this.#dekOf(left, options)
  }

  #demandWriters(): void {
    if (this.#settings.write.length > 0) return
    throw new KmsError('ERR_KMS_UNSUPPORTED', {
      message: 'no KMS in write: give one to encrypt or rewrap',
    })
  }
}
