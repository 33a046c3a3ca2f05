import { CachedKms } from '../data-keys/index.ts'
import { isKmsError } from '../errors.ts'
import {
  InterceptedKms,
  type KekVersion,
  type KmsCall,
  type KmsSignalOptions,
  type NextCall,
  type UnwrappedDataKey,
} from '../kms/index.ts'
import { BoundedMap } from '../runtime/index.ts'
import { LIMITS } from '../wire/index.ts'
import { classOfError } from './error-class.ts'
import { isRemembered, type RewrapTask, taskId } from './header-rewraps.ts'
import { paceOf } from './kms-rewrapper.ts'
import type { Pacer } from './pacer.ts'
import { mayReferTo } from './staleness.ts'
import type { StepSettings } from './step-options.ts'

/** Headers that are remembered as proven: values of one data key follow each other. */
const MAX_PROVEN = 4_096

/** Sees which wrap opened last, and whether the KMS knows it to be under an old version. */
class WitnessKms extends InterceptedKms {
  last: Pick<UnwrappedDataKey, 'by' | 'current'> | undefined

  protected override async around<T, O extends KmsSignalOptions>(
    { operation, options }: KmsCall<T, O>,
    next: NextCall<T, O>,
  ): Promise<T> {
    const answer = await next(options)
    if (operation === 'unwrapDataKey') {
      const { by, current } = answer as UnwrappedDataKey
      this.last = { by, ...(current !== undefined && { current }) }
    }
    return answer
  }
}

/**
 * Proves that data keys open without a version that is to be retired. A value's own words prove nothing: anyone who
 * can write it can edit the version that it names.
 */
export class ProofOfOpening {
  readonly #settings: StepSettings
  readonly #pacer: Pacer
  readonly #retired: KekVersion
  readonly #proven = new BoundedMap<string, boolean>(MAX_PROVEN)

  constructor(settings: StepSettings, pacer: Pacer, retired: KekVersion) {
    this.#settings = settings
    this.#pacer = pacer
    this.#retired = retired
  }

  /**
   * Whether the data key of a header opens, its commitment verified, by a wrap that is not under the retired version.
   *
   * @throws KmsError the KMS's error at an outage
   */
  async holds(task: RewrapTask, signal: AbortSignal | undefined): Promise<boolean> {
    const id = taskId(task)
    const known = this.#proven.get(id)
    if (known !== undefined) return known
    const isProven = await this.#open(task, signal)
    if (isRemembered(task)) this.#proven.set(id, isProven)
    return isProven
  }

  async #open({ header, context }: RewrapTask, signal: AbortSignal | undefined): Promise<boolean> {
    const { kms, callTimeoutMs, runtime, network } = this.#settings
    const witness = new WitnessKms(kms)
    const bounds = { callTimeoutMs, runtime, network, maxEntries: 0, maxWraps: LIMITS.maxWraps }
    const keys = new CachedKms({ kms: witness, ...bounds })
    await paceOf(this.#pacer, this.#settings, header.wraps).take(1, signal)
    try {
      await keys.open(header, context, { signal })
    } catch (error) {
      signal?.throwIfAborted()
      const verdict = isKmsError(error) ? classOfError(error) : undefined
      if (verdict === undefined || verdict === 'outage') throw error
      return false
    }
    const { by, current } = witness.last ?? {}
    return by !== undefined && current !== false && !mayReferTo(by, this.#retired)
  }
}
