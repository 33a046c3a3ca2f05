import { isKmsError, type KmsError } from '../errors.ts'
import type { KekVersion } from '../kms/index.ts'
import { sumCounts } from './counts.ts'
import { classOfError } from './error-class.ts'
import { PageRun } from './page-run.ts'
import type { RotationOutage } from './page-tally.ts'
import type {
  RotationCounts,
  RotationFailure,
  RotationState,
  SourceState,
} from './rotation-state.ts'
import { areSameVersions } from './staleness.ts'
import { addSamples, fitState } from './state.ts'
import type { StepResult } from './step-result.ts'
import type { StepTools } from './step-tools.ts'
import { isOverThreshold } from './threshold.ts'

/** One step on its way. */
export class StepRun {
  read = 0
  readonly #tools: StepTools
  readonly #before: RotationState
  readonly #signal: AbortSignal | undefined
  readonly #failures: RotationFailure[] = []
  #state: RotationState
  #waitMs = 0
  #outage: RotationOutage | undefined
  #passed: RotationOutage | undefined

  constructor(tools: StepTools, state: RotationState, signal: AbortSignal | undefined) {
    this.#tools = tools
    this.#before = state
    this.#state = state
    this.#signal = signal
  }

  /** Whether there is more to do now. */
  get isOpen(): boolean {
    return this.#state.phase === 'running' && this.#waitMs === 0 && this.#outage === undefined
  }

  /** Learns the current KEK versions. Returns `false` if the KMS did not answer. */
  async aim(): Promise<boolean> {
    const { keks } = this.#tools
    if (keks.byContext) return true
    try {
      this.#retarget(await keks.of(undefined, this.#signal))
      return true
    } catch (error) {
      this.#signal?.throwIfAborted()
      if (!isKmsError(error) || classOfError(error) !== 'outage') throw error
      this.#stall({ source: '', from: 'kms', error })
      return false
    }
  }

  /** Works on the next page of the first source that is not done. */
  async page(most: number): Promise<void> {
    const at = this.#state.sources.findIndex(({ done }) => !done)
    const from = this.#state.sources[at]
    if (from === undefined) {
      this.#state = { ...this.#state, phase: 'finished' }
      return
    }
    const done = await new PageRun(this.#tools, this.#state, at, this.#signal).run(most)
    this.read += done.read
    this.#failures.push(...done.failures)
    const { quarantine, source, outage } = done
    const sources = this.#state.sources.with(at, source)
    const samples = addSamples(this.#state.samples, done.failures)
    const counts = sumCounts(...sources.map((one) => one.counts))
    this.#state = { ...this.#state, sources, samples, quarantine, counts }
    this.#outage = outage
    this.#passed ??= done.passed
    this.#waitMs = done.waitMs
    if (isOverThreshold(this.#state, this.#tools.settings.threshold))
      this.#state = { ...this.#state, phase: 'stopped' }
    else if (sources.every((one) => one.done)) this.#state = { ...this.#state, phase: 'finished' }
  }

  result(): StepResult {
    const updatedAtMs = this.#tools.settings.runtime.now()
    const state = fitState({ ...this.#state, updatedAtMs })
    const counts = differenceOf(state.counts, this.#before.counts)
    const base = { state, counts, failures: this.#failures, waitMs: this.#waitMs, read: this.read }
    return {
      ...base,
      ...(this.#outage && { outage: this.#outage }),
      ...(this.#passed && { passed: this.#passed }),
    }
  }

  /** Another version became current while the job ran: what was swept so far may be stale again. */
  #retarget(current: readonly KekVersion[]): void {
    const { target, sources } = this.#state
    if (areSameVersions(target, current)) return
    this.#tools.rewraps.clear()
    const isFirst = target.length === 0
    const again = sources.map((source) => (isFirst ? source : sweptAgain(source)))
    const versions = current.map(({ provider, kekId, kekVersion }) => ({
      provider,
      kekId,
      kekVersion,
    }))
    this.#state = { ...this.#state, target: versions, sources: again }
  }

  #stall(outage: RotationOutage & { readonly error: KmsError }): void {
    const at = this.#state.sources.findIndex(({ done }) => !done)
    const source = this.#state.sources[at]
    this.#outage = outage
    if (source === undefined) return
    const stalls = source.stalls + 1
    this.#waitMs = this.#tools.waitMs(stalls, outage.error)
    const sources = this.#state.sources.with(at, { ...source, stalls })
    this.#state = { ...this.#state, sources }
  }
}

function sweptAgain(source: SourceState): SourceState {
  if (!source.done) return { ...source, changed: true }
  const { fingerprint: _fingerprint, ...kept } = source
  return { ...kept, sweep: source.sweep + 1, done: false, changed: false }
}

function differenceOf(after: RotationCounts, before: RotationCounts): RotationCounts {
  const names = Object.keys(after) as (keyof RotationCounts)[]
  return Object.fromEntries(
    names.map((name) => [name, after[name] - before[name]]),
  ) as unknown as RotationCounts
}
