import type { KmsError } from '../errors.ts'
import { CurrentKeks } from './current-keks.ts'
import { type HeaderRewrapper, HeaderRewraps } from './header-rewraps.ts'
import type { StaleTask } from './judge.ts'
import { KmsRewrapper } from './kms-rewrapper.ts'
import { Pacer } from './pacer.ts'
import type { StepSettings } from './step-options.ts'

/** Pauses after an outage: the first, and the longest, milliseconds. */
const FIRST_WAIT_MS = 1_000
const LONGEST_WAIT_MS = 60_000

/** The memory that the steps of one process share: it saves calls, and no result depends on it. */
export class StepTools {
  readonly settings: StepSettings
  readonly names: readonly string[]
  readonly keks: CurrentKeks
  readonly pacer: Pacer
  readonly rewraps: HeaderRewraps<StaleTask> = new HeaderRewraps()
  /** Returns the rewrapper of the headers of one page, with its own counter. */
  readonly rewrapper: () => HeaderRewrapper<StaleTask>
  /** Nothing is replaced. */
  readonly isDry: boolean

  /** @param rewrapper - instead of the KMS, for a forecast */
  constructor(settings: StepSettings, isDry = false, rewrapper?: () => HeaderRewrapper<StaleTask>) {
    const { kms, runtime, network } = settings
    this.settings = settings
    this.isDry = isDry
    this.names = settings.sources.map(({ name }) => name)
    this.keks = new CurrentKeks(kms, settings)
    this.pacer = new Pacer(runtime, network)
    this.rewrapper = rewrapper ?? (() => new KmsRewrapper(settings, this.keks, this.pacer))
  }

  /** Returns how long to wait after this number of steps that an outage ended: at least what the vendor asks for. */
  waitMs(stalls: number, error: KmsError | undefined): number {
    const grown = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(16, stalls - 1))
    const spread = grown * (0.5 + this.settings.network.jitter() / 2)
    return Math.max(Math.ceil(spread), error?.retryAfterMs ?? 0)
  }
}
