import type { Bytes } from '../bytes/index.ts'
import { EnvelopeCipher } from '../envelope/index.ts'
import { KmsError } from '../errors.ts'
import { LIMITS } from '../wire/index.ts'
import type { CurrentKeks } from './current-keks.ts'
import type { HeaderRewrapper } from './header-rewraps.ts'
import type { StaleTask } from './judge.ts'
import { costsOf, MeteredKms, requestsOfRewrap } from './metered-kms.ts'
import type { Pacer } from './pacer.ts'
import { areExactlyCurrent } from './staleness.ts'
import type { StepSettings } from './step-options.ts'
import { headerOf, readStored, recordOf } from './stored-value.ts'
import { quotaOf } from './vendor-terms.ts'

/** Rewraps data keys through a KMS, at the rate that the vendor's quota allows. */
export class KmsRewrapper implements HeaderRewrapper<StaleTask> {
  readonly #settings: StepSettings
  readonly #keks: CurrentKeks
  readonly #pacer: Pacer
  readonly #meter: MeteredKms
  readonly #cipher: EnvelopeCipher

  constructor(settings: StepSettings, keks: CurrentKeks, pacer: Pacer) {
    const { kms, callTimeoutMs, runtime, network } = settings
    this.#settings = settings
    this.#keks = keks
    this.#pacer = pacer
    this.#meter = new MeteredKms(kms)
    const bounds = { callTimeoutMs, runtime, network, maxWraps: LIMITS.maxWraps }
    this.#cipher = new EnvelopeCipher({ kms: this.#meter, cache: false, ...bounds })
  }

  get requests(): number {
    return this.#meter.requests
  }

  note({ current }: StaleTask): number {
    const requests = this.#requestsOf(current)
    this.#meter.requests += requests
    return requests
  }

  /**
   * Returns the new key header of a data key.
   *
   * @throws KmsError as `EnvelopeCipher.rewrap`; `ERR_KMS_UNAVAILABLE` if the KMS wraps under other versions than it
   * says are current: some vendors need minutes until all their servers know a new version
   */
  async rewrap(
    { header, context, current }: StaleTask,
    signal: AbortSignal | undefined,
  ): Promise<Bytes> {
    const { kms, verify } = this.#settings
    const pacer = paceOf(this.#pacer, this.#settings, current)
    await pacer.take(this.#requestsOf(current), signal)
    const record = await this.#cipher.rewrap(recordOf(header.bytes), { context, verify, signal })
    const wraps = readStored(record)?.head.header?.wraps ?? []
    if (areExactlyCurrent(wraps, current)) return headerOf(record)
    this.#keks.forget()
    const message = 'the KMS wraps under another version than its currentVersion names'
    throw new KmsError('ERR_KMS_UNAVAILABLE', { provider: kms.providerName, message })
  }

  #requestsOf(current: StaleTask['current']): number {
    const { kms, verify } = this.#settings
    return requestsOfRewrap(verify, { ...costsOf(kms), keks: current.length })
  }
}

/** Returns the pacer, with its limit set for these KEKs. */
export function paceOf(
  pacer: Pacer,
  { rateShare, requestsPerSecond }: Pick<StepSettings, 'rateShare' | 'requestsPerSecond'>,
  current: StaleTask['current'],
): Pacer {
  pacer.limit(requestsPerSecond ?? quotaOf(current) * rateShare)
  return pacer
}
