import type { KmsError } from '../errors.ts'
import { isFailure, type Tally, zeroCounts } from './counts.ts'
import type { FingerprintedValue, Fingerprints } from './fingerprint.ts'
import type { JudgedValue } from './judge.ts'
import type { Quarantine } from './quarantine.ts'
import type { RotationClass, RotationCounts, RotationFailure } from './rotation-state.ts'

/** The outage that ended a step early. */
export interface RotationOutage {
  readonly source: string
  /** The service that did not answer. */
  readonly from: 'kms' | 'source' | 'failure-sink'
  readonly error: KmsError
}

/** The place of a page in its job. */
export interface PageFacts {
  readonly source: string
  /** Which walk through the source this is. Later ones count only what they did. */
  readonly sweep: number
  readonly quarantine: Quarantine
  readonly fingerprints: Fingerprints | undefined
  readonly nowMs: number
  /** An outage of a KMS does not end the work on the other values of the page. */
  readonly goesOn: boolean
}

/** Classes that a later sweep counts: what it did, and what it could not do. */
const COUNTED_LATER: readonly RotationClass[] = ['done', 'lost-race', 'outage']

/** Counts of the values of one page, by class. */
export class PageTally {
  readonly counts: Tally = zeroCounts()
  readonly failures: RotationFailure[] = []
  readonly fingerprints: bigint[] = []
  /** A value was rewrapped, or a race for one was lost: the source needs another sweep. */
  changed = false
  outage: RotationOutage | undefined
  /** Values that an outage left as they were. */
  left = 0
  readonly #facts: PageFacts

  constructor(facts: PageFacts) {
    this.#facts = facts
  }

  /** Counts a page of records. */
  read(records: number): void {
    if (this.#facts.sweep === 1) this.counts.records += records
  }

  /** Counts values of a class; a failure goes through {@link PageTally.fail}. */
  count(name: keyof RotationCounts, values = 1): void {
    const isCounted = (COUNTED_LATER as readonly string[]).includes(name) || name === 'kmsCalls'
    if (isCounted || this.#facts.sweep === 1) this.counts[name] += values
  }

  /** Notes a value whose class is final. One that failed in this job before is passed over. */
  async settle(value: JudgedValue, verdict: RotationClass, code: string): Promise<void> {
    if (!isFailure(verdict)) {
      this.count(verdict)
      return
    }
    if (value.value === null) return
    const { source, quarantine, nowMs } = this.#facts
    const { record, field } = value
    const at = { source, id: record.id, field, value: value.value }
    if (await quarantine.holds(at)) return
    this.counts[verdict] += 1
    this.failures.push({ source, id: record.id, field, class: verdict, code, atMs: nowMs })
    await quarantine.add(at)
  }

  /** Whether a stale value failed before, so that no call is spent on it again. */
  isQuarantined({ record, field, value }: JudgedValue): Promise<boolean> {
    const { source, quarantine } = this.#facts
    if (value === null) return Promise.resolve(false)
    return quarantine.holds({ source, id: record.id, field, value })
  }

  /** Notes the fingerprints of values as they were read. */
  async take(values: readonly JudgedValue[], isPrefix: boolean): Promise<void> {
    const { source, fingerprints } = this.#facts
    if (fingerprints === undefined) return
    for (const { record, field, value, message, verdict } of values) {
      if (verdict === 'empty' || value === null) continue
      const one: FingerprintedValue = { source, id: record.id, field, value, message, isPrefix }
      this.fingerprints.push(await fingerprints.of(one))
    }
  }

  /** Whether no further value of the page is to be tried. */
  get isOver(): boolean {
    return this.outage !== undefined && !(this.#facts.goesOn && this.outage.from === 'kms')
  }

  /** Notes an outage, of which the first one counts, and how many values it left as they were. */
  fail(from: RotationOutage['from'], error: KmsError, values: number): void {
    this.left += values
    this.outage ??= { source: this.#facts.source, from, error }
  }

  /** Gives up the values that an outage left: the next sweep finds them. */
  giveUp(): void {
    this.count('outage', this.left)
    this.changed = true
  }
}
