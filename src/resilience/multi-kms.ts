import { isKmsError, KmsError, type Outcome } from '../errors.ts'
import {
  areVersions,
  checkAnswer,
  type GeneratedDataKey,
  type HealthReport,
  isUnwrapped,
  type KekVersion,
  type KeyManagementService,
  type KmsCallOptions,
  type KmsCapabilities,
  type KmsSignalOptions,
  type SecretBytes,
  type UnwrappedDataKey,
  unwrapEach,
  type UnwrapRequest,
  type WrappedKey,
} from '../kms/index.ts'
import { firstToOpen, type Opener } from './first-to-open.ts'
import { combinedCapabilities, memberReport } from './members.ts'
import { type MultiKmsOptions, multiSettings, type MultiSettings } from './multi-options.ts'
import { type BatchOpener, openInBatches } from './open-in-batches.ts'
import { firstToGenerate, noteMissing, wrapUnderEnough } from './quorum-write.ts'
import { answered, failed, type MemberHealth, readOrder, UNKNOWN_HEALTH } from './read-order.ts'

/** Hedges that may be saved up. */
const MAX_HEDGES = 10

/**
 * Wraps one DEK under several KEKs, of any vendors and regions. Reading needs one of them; writing
 * needs all, or a quorum, with what is missing noted for repair. Rewrapping always needs all. A member
 * with `usage: 'decrypt'` only reads: so data moves from one KEK to another.
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
  readonly #healths: MemberHealth[]
  #hedges = 1

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: MultiKmsOptions) {
    this.#settings = multiSettings(options)
    const { read, write } = this.#settings
    this.#healths = read.map(() => UNKNOWN_HEALTH)
    this.capabilities = Object.freeze(combinedCapabilities(read, write))
  }

  canUnwrap(wrap: WrappedKey): boolean {
    return this.#settings.read.some((kms) => kms.canUnwrap(wrap))
  }

  async generateDataKey(options: KmsCallOptions): Promise<GeneratedDataKey> {
    const { write, quorum } = this.#settings
    const { plaintext, wraps, maker, down } = await firstToGenerate(this.#settings, options)
    try {
      const others = write.filter((kms) => kms !== maker && !down.includes(kms))
      const more = await wrapUnderEnough(this.#settings, others, quorum - 1, plaintext, options)
      const left = others.filter((_, i) => more[i] === undefined)
      const missing = write.filter((kms) => down.includes(kms) || left.includes(kms))
      await noteMissing(this.#settings, missing, 'generateDataKey', options)
      return { plaintext, wraps: [...wraps, ...more.flatMap((made) => made ?? [])] } // W3.17
    } catch (error) {
      plaintext.dispose()
      throw error
    }
  }

  async wrapDataKey(
    plaintext: SecretBytes,
    options: KmsCallOptions,
  ): Promise<readonly WrappedKey[]> {
    options.signal?.throwIfAborted()
    const { write, quorum } = this.#settings
    this.#demandWriters()
    const made = await wrapUnderEnough(this.#settings, write, quorum, plaintext, options)
    const missing = write.filter((_, i) => made[i] === undefined)
    await noteMissing(this.#settings, missing, 'wrapDataKey', options)
    return made.flatMap((wraps) => wraps ?? [])
  }

  /** W3.28: in this reader's own order; a KEK that is down or does not open gives way to the next. */
  unwrapDataKey(wraps: readonly WrappedKey[], options: KmsCallOptions): Promise<UnwrappedDataKey> {
    const { hedge, ports } = this.#settings
    const openers = this.#order().flatMap((i) => this.#openerOf(i, wraps))
    this.#hedges = Math.min(MAX_HEDGES, this.#hedges + (hedge?.budget ?? 0))
    return firstToOpen(openers, options, {
      ports,
      hedgeAfterMs: hedge?.afterMs,
      payHedge: () => this.#hedges >= 1 && (this.#hedges--, true),
    })
  }

  /**
   * Where a KEK takes batches, one for each KEK: an item that one does not open goes on to the next
   * KEK that it has a wrap of, with all the others of its batch that failed. Batches are not hedged.
   */
  unwrapMany(
    items: readonly UnwrapRequest[],
    options: KmsSignalOptions,
  ): Promise<readonly Outcome<UnwrappedDataKey>[]> {
    if (!this.capabilities.batches) return unwrapEach(this, items, options)
    const openers = this.#order().map((i) => this.#batchOpenerOf(i))
    return openInBatches(items, openers, options, this.#settings.ports)
  }

  /**
   * Needs every KEK to write to, whatever the write policy: an envelope that loses a wrap that it had
   * could no longer be opened by those that have that KEK alone.
   */
  async rewrapDataKey(
    wraps: readonly WrappedKey[],
    options: KmsCallOptions,
  ): Promise<readonly WrappedKey[]> {
    this.#demandWriters()
    const { write } = this.#settings
    const { plaintext } = await this.unwrapDataKey(wraps, options)
    try {
      const made = await wrapUnderEnough(this.#settings, write, write.length, plaintext, options)
      return made.flatMap((under) => under ?? [])
    } finally {
      plaintext.dispose()
    }
  }

  async currentVersion(options: KmsSignalOptions): Promise<readonly KekVersion[]> {
    this.#demandWriters()
    const { write } = this.#settings
    const versions = write.map(async (kms) =>
      checkAnswer(kms.providerName, await kms.currentVersion(options), areVersions),
    )
    return (await Promise.all(versions)).flat()
  }

  async rotateKey(options: KmsSignalOptions): Promise<readonly KekVersion[]> {
    const versions: KekVersion[] = []
    if (!this.capabilities.rotates) throw new KmsError('ERR_KMS_UNSUPPORTED', { provider: 'multi' })
    for (const kms of this.#settings.write) {
      const made = checkAnswer(kms.providerName, await kms.rotateKey(options), areVersions)
      versions.push(...made)
    }
    return versions
  }

  async healthCheck(options: KmsSignalOptions): Promise<HealthReport> {
    const { read, write } = this.#settings
    const members = [...new Set([...write, ...read])]
    const reports = await Promise.all(members.map((kms) => memberReport(kms, options)))
    return {
      healthy: reports.every((report) => report.healthy),
      checks: reports.flatMap((report) => report.checks),
    }
  }

  /** Returns the places of the members in the order in which they are asked. */
  #order(): readonly number[] {
    const { read, fastest, ports } = this.#settings
    return fastest ? readOrder(this.#healths, ports.runtime.now()) : [...read.keys()]
  }

  /** What is measured here decides the order of later calls. */
  #openerOf(i: number, wraps: readonly WrappedKey[]): readonly Opener[] {
    const { read, ports } = this.#settings
    const kms = read[i] as KeyManagementService
    const ours = wraps.filter((wrap) => kms.canUnwrap(wrap))
    if (ours.length === 0) return []
    const { providerName: provider } = kms
    let startedMs = 0
    const landed = (error: unknown, wasCut: boolean): void => {
      const nowMs = ports.runtime.now()
      const health = this.#healths[i] ?? UNKNOWN_HEALTH
      const tookMs = nowMs - startedMs
      // A call that was cut says only how long there was no answer.
      if (wasCut && tookMs <= (health.latencyMs ?? 0)) return
      this.#healths[i] =
        !wasCut && isOutage(error) ? failed(health, nowMs) : answered(health, tookMs, nowMs)
    }
    const open = async (given: KmsCallOptions): Promise<UnwrappedDataKey> => {
      startedMs = ports.runtime.now()
      return checkAnswer(provider, await kms.unwrapDataKey(ours, given), isUnwrapped)
    }
    return [{ provider, open, landed }]
  }

  #batchOpenerOf(i: number): BatchOpener {
    const { read, ports } = this.#settings
    const kms = read[i] as KeyManagementService
    return {
      provider: kms.providerName,
      ours: (wraps) => wraps.filter((wrap) => kms.canUnwrap(wrap)),
      open: (items, given) => kms.unwrapMany(items, given),
      // A page takes longer than a data key: it tells whether the KMS is there, not how fast it is.
      landed: (error) => {
        const health = this.#healths[i] ?? UNKNOWN_HEALTH
        this.#healths[i] = isOutage(error)
          ? failed(health, ports.runtime.now())
          : { ...health, failedAtMs: -Infinity }
      },
    }
  }

  #demandWriters(): void {
    if (this.#settings.write.length > 0) return
    throw new KmsError('ERR_KMS_UNSUPPORTED', { message: 'no KMS to write to is configured' })
  }
}

function isOutage(error: unknown): boolean {
  return error !== undefined && (!isKmsError(error) || error.retryable)
}
