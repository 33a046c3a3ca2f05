import { isKmsError } from '../errors.ts'
import { sumCounts } from './counts.ts'
import { markCursor } from './cursor-mark.ts'
import { classOfError } from './error-class.ts'
import { addFingerprints } from './fingerprint.ts'
import { rewrapObjects } from './object-page.ts'
import { type RotationOutage, PageTally } from './page-tally.ts'
import { Quarantine } from './quarantine.ts'
import { checkPage } from './record-page.ts'
import type { RecordPage, RecordSource } from './record-source.ts'
import type { RotationFailure, RotationState, SourceState } from './rotation-state.ts'
import { callOutside } from './source-calls.ts'
import type { StepTools } from './step-tools.ts'
import { rewrapValues } from './value-page.ts'

/** Steps in a row that an outage may end at one page, before the sweep goes on behind it. */
const MAX_STALLS = 5

/** The outcome of one page. */
export interface PageResult {
  readonly source: SourceState
  readonly quarantine: readonly string[]
  readonly failures: readonly RotationFailure[]
  readonly read: number
  readonly waitMs: number
  readonly outage: RotationOutage | undefined
  /** An outage that the sweep went on behind. */
  readonly passed?: RotationOutage | undefined
}

/** The work on one page of a source: read, rewrap, replace, tell the failures, and only then advance. */
export class PageRun {
  readonly #tools: StepTools
  readonly #from: SourceState
  readonly #source: RecordSource
  readonly #signal: AbortSignal | undefined
  readonly #before: readonly string[]
  readonly #quarantine: Quarantine
  readonly #tally: PageTally

  constructor(tools: StepTools, state: RotationState, at: number, signal: AbortSignal | undefined) {
    const { settings, keks } = tools
    this.#tools = tools
    this.#from = state.sources[at] as SourceState
    this.#source = settings.sources[at] as RecordSource
    this.#signal = signal
    this.#before = state.quarantine
    this.#quarantine = new Quarantine(state.quarantine)
    this.#tally = new PageTally({
      source: this.#source.name,
      sweep: this.#from.sweep,
      quarantine: this.#quarantine,
      fingerprints: settings.fingerprints,
      nowMs: settings.runtime.now(),
      goesOn: keks.byContext || this.#from.stalls + 1 >= MAX_STALLS,
    })
  }

  /** @param most - records that may be read */
  async run(most: number): Promise<PageResult> {
    const tally = this.#tally
    const page = await this.#guard('source', () => this.#read(most))
    if (page === undefined) return this.#stalled(0, false)
    const { records } = page
    tally.read(records.length)
    await this.#guard('kms', () => this.#rewrap(page))
    if (tally.outage !== undefined && !this.#givesUp()) return this.#stalled(records.length, true)
    if (tally.outage !== undefined) tally.giveUp()
    if (!(await this.#tell())) return this.#stalled(records.length, true)
    return this.#advanced(page)
  }

  async #read(most: number): Promise<RecordPage> {
    const { settings } = this.#tools
    const limit = Math.min(most, settings.pageSize)
    const name = `source ${this.#source.name}: page`
    const page = await callOutside(settings, name, this.#signal, (options) =>
      this.#source.page(this.#from.cursor, limit, options),
    )
    return checkPage(this.#source.name, page)
  }

  async #rewrap({ records }: RecordPage): Promise<void> {
    const { settings, keks, rewraps, isDry, pacer } = this.#tools
    const { kms, contextOf, concurrency } = settings
    const rewrapper = this.#tools.rewrapper()
    const shared = { settings, kms, contextOf, concurrency, keks, isDry, signal: this.#signal }
    const ports = { ...shared, rewrapper, rewrap: rewraps.by(rewrapper) }
    const source = this.#source
    try {
      if (source.kind === 'values') await rewrapValues(ports, source, records, this.#tally)
      else await rewrapObjects(ports, source, records, this.#tally, pacer)
    } finally {
      this.#tally.count('kmsCalls', rewrapper.requests)
    }
  }

  /** Hands the failures to the sink. Returns `false` if it did not take them. */
  async #tell(): Promise<boolean> {
    const { settings } = this.#tools
    const { failures } = this.#tally
    const sink = settings.failures
    if (sink === undefined || failures.length === 0) return true
    const told = await this.#guard('failure-sink', async () => {
      await callOutside(settings, 'failures', this.#signal, (options) =>
        sink([...failures], options),
      )
      return true
    })
    return told === true
  }

  /** Returns what the work returns; `undefined` at an outage, which the tally notes. */
  async #guard<T>(from: RotationOutage['from'], work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work()
    } catch (error) {
      this.#signal?.throwIfAborted()
      if (!isKmsError(error) || classOfError(error) !== 'outage') throw error
      this.#tally.fail(from, error, 0)
      return undefined
    }
  }

  /** Whether the sweep goes on behind this page, although an outage left some of its values. */
  #givesUp(): boolean {
    if (this.#from.stalls + 1 >= MAX_STALLS) return true
    return this.#tools.keks.byContext && this.#tally.outage?.from === 'kms'
  }

  /**
   * The page is repeated: only what cannot be counted again is counted now.
   *
   * @param isRead - values of the page may have been replaced
   */
  #stalled(read: number, isRead: boolean): PageResult {
    const { counts, outage, changed } = this.#tally
    const from = this.#from
    const stalls = from.stalls + 1
    const { done, kmsCalls } = counts
    const made = { ...sumCounts(), done, kmsCalls }
    const source = {
      ...from,
      stalls,
      changed: from.changed || changed,
      doneHere: from.doneHere + (isRead ? done : 0),
      counts: sumCounts(from.counts, made),
    }
    const waitMs = this.#tools.waitMs(stalls, outage?.error)
    // The quarantine of the state is the one before: failures of this page were not told yet.
    return { source, quarantine: this.#before, failures: [], read, waitMs, outage }
  }

  /** The page is done: the cursor goes on, or the sweep ends. */
  #advanced({ records, cursor }: RecordPage): PageResult {
    const { counts, changed, failures, outage: passed } = this.#tally
    const from = this.#from
    // Values that an earlier step replaced here, before an outage ended it, were counted then.
    const current = Math.max(0, counts.current - from.doneHere)
    const next = {
      ...from,
      stalls: 0,
      doneHere: 0,
      changed: from.changed || changed,
      counts: sumCounts(from.counts, { ...counts, current }),
      ...this.#fingerprint(),
    }
    const isEnd = cursor === undefined
    const source = isEnd
      ? this.#endOfSweep(next)
      : { ...next, cursor, mark: markCursor(from.name, from.mark, from.cursor, cursor) }
    const waitMs = isEnd && !source.done && next.sweep > 1 ? pauseAfter(next.sweep) : 0
    const { ids: quarantine } = this.#quarantine
    const told = { failures, read: records.length, waitMs }
    return { source, quarantine, ...told, outage: undefined, passed }
  }

  #fingerprint(): Pick<SourceState, 'fingerprint'> {
    if (this.#tools.settings.fingerprints === undefined) return {}
    return { fingerprint: addFingerprints(this.#from.fingerprint, this.#tally.fingerprints) }
  }

  /** A sweep that changed something is followed by another. */
  #endOfSweep(swept: SourceState): SourceState {
    const { cursor: _cursor, mark: _mark, fingerprint, ...kept } = swept
    const isFirst = kept.sweep === 1 && fingerprint !== undefined
    const facts = { ...kept, ...(isFirst && { fingerprintBefore: fingerprint }) }
    if (kept.changed && !this.#tools.isDry)
      return { ...facts, sweep: kept.sweep + 1, changed: false }
    return { ...facts, done: true, ...(fingerprint !== undefined && { fingerprint }) }
  }
}

/** Live writers still use old data keys if a later sweep finds something: the next one waits, longer each time. */
function pauseAfter(sweep: number): number {
  return Math.min(60_000, 1_000 * 2 ** Math.min(16, sweep - 2))
}
