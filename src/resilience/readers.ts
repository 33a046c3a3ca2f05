import { isKmsError } from '../errors.ts'
import {
  checkAnswer,
  type EncryptionContext,
  isUnwrapped,
  type KeyManagementService,
  type KmsCallOptions,
  type UnwrappedDataKey,
  recognizes,
  type WrappedKey,
} from '../kms/index.ts'
import type { Opener } from './first-to-open.ts'
import type { MultiSettings } from './multi-options.ts'
import type { BatchOpener } from './open-in-batches.ts'
import { answered, failed, type MemberHealth, readOrder, UNKNOWN_HEALTH } from './read-order.ts'

/** The KMSs to read from, in the order in which they are asked. Measures each to decide that order. */
export class Readers {
  readonly #settings: MultiSettings
  readonly #healths: MemberHealth[]

  constructor(settings: MultiSettings) {
    this.#settings = settings
    this.#healths = settings.read.map(() => UNKNOWN_HEALTH)
  }

  /** Returns those that may open one of the wraps. */
  openersOf(wraps: readonly WrappedKey[], context: EncryptionContext): readonly Opener[] {
    return this.#ordered().flatMap(([i, kms]) => {
      const ours = wraps.filter((wrap) => recognizes(kms, wrap, context))
      return ours.length === 0 ? [] : [this.#opener(i, kms, ours)]
    })
  }

  /** Returns all of them, for batches. */
  batchOpeners(): readonly BatchOpener[] {
    return this.#ordered().map(([i, kms]) => ({
      provider: kms.providerName,
      ours: (wraps, context) => wraps.filter((wrap) => recognizes(kms, wrap, context)),
      open: (items, given) => kms.unwrapMany(items, given),
      // A page takes longer than a data key: it tells whether the KMS is there, not how fast it is.
      landed: (error) => {
        const health = this.#healthOf(i)
        this.#healths[i] = isOutage(error)
          ? failed(health, this.#settings.ports.runtime.now())
          : { ...health, failedAtMs: -Infinity }
      },
    }))
  }

  #ordered(): readonly (readonly [number, KeyManagementService])[] {
    const { read, fastest, ports } = this.#settings
    const order = fastest ? readOrder(this.#healths, ports.runtime.now()) : [...read.keys()]
    return order.map((i) => [i, read[i] as KeyManagementService])
  }

  #opener(i: number, kms: KeyManagementService, ours: readonly WrappedKey[]): Opener {
    const { runtime } = this.#settings.ports
    const { providerName: provider } = kms
    let startedMs = 0
    const open = async (given: KmsCallOptions): Promise<UnwrappedDataKey> => {
      startedMs = runtime.now()
      return checkAnswer(provider, await kms.unwrapDataKey(ours, given), isUnwrapped)
    }
    const landed = (error: unknown, wasCut: boolean): void => {
      const nowMs = runtime.now()
      const health = this.#healthOf(i)
      const tookMs = nowMs - startedMs
      // A call that was cut says only how long the answer did not come.
      if (wasCut && tookMs <= (health.latencyMs ?? 0)) return
      this.#healths[i] =
        !wasCut && isOutage(error) ? failed(health, nowMs) : answered(health, tookMs, nowMs)
    }
    return { provider, open, landed }
  }

  #healthOf(i: number): MemberHealth {
    return this.#healths[i] ?? UNKNOWN_HEALTH
  }
}

function isOutage(error: unknown): boolean {
  return error !== undefined && (!isKmsError(error) || error.retryable)
}
