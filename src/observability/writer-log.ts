import type { Digest } from './audit-keys.ts'
import { encodeBase64Url } from '../bytes/index.ts'
import { type AuditCheckpoint, type AuditRecord, GENESIS, recordBytes } from './audit-record.ts'

/** Kinds of problems of a log. */
export type AuditProblemKind =
  | 'malformed'
  | 'edited'
  | 'dropped'
  | 'reordered'
  | 'truncated'
  | 'forked'
  | 'bad-checkpoint'
  | 'missing-writer'
  | 'unknown-writer'

/** One place at which a log is not what was written. */
export interface AuditProblem {
  readonly kind: AuditProblemKind
  /** Empty if the entry does not name one. */
  readonly writer: string
  /**
   * The place among the writer's records, -1 if the entry does not name one. For a checkpoint: the last place that it
   * covers.
   */
  readonly seq: number
}

/** The verdict on one writer's records. */
export interface WriterCoverage {
  /** How many records the log has. */
  readonly records: number
  /** How many of them, from the first on, are proven to be whole and unchanged by a checkpoint. */
  readonly covered: number
  /** Whether each record was checked with `macKey`: none was changed or invented, but the last ones may be cut off. */
  readonly isAuthentic: boolean
  /** How many events the writer says that it lost. */
  readonly lost: number
}

interface Held {
  readonly hash: string
  /** Absent without a chain. */
  readonly prev: string | undefined
  /** Which of the writer's entries it was. */
  readonly line: number
}

/** The digests to check hashes with; the keyed one only where there is a `macKey`. */
export interface Digests {
  readonly plain: Digest
  readonly keyed: Digest | undefined
  /** Whether a record must have a hash. */
  readonly isLinkDemanded: boolean
}

/** The records of one writer, as they come. */
export class WriterLog {
  readonly writer: string
  readonly #digests: Digests
  readonly #held = new Map<number, Held>()
  #problem: AuditProblem | undefined
  #covered = 0
  #lost = 0
  #isChecked = true

  constructor(writer: string, digests: Digests) {
    this.writer = writer
    this.#digests = digests
  }

  /** The first place at which this writer's records are not what was written. */
  get problem(): AuditProblem | undefined {
    return this.#problem
  }

  get coverage(): WriterCoverage {
    const isAuthentic = this.#digests.keyed !== undefined && this.#problem === undefined
    return { records: this.#held.size, covered: this.#covered, isAuthentic, lost: this.#lost }
  }

  /** Keeps the problem if it is the first. */
  note(kind: AuditProblemKind, seq: number): void {
    if (this.#problem !== undefined && this.#problem.seq <= seq) return
    this.#problem = { kind, writer: this.writer, seq }
  }

  /** Takes the next record of the log. */
  async add(record: AuditRecord): Promise<void> {
    const { seq, lost, link } = record
    const held = this.#held.get(seq)
    const hash = link?.hash ?? JSON.stringify(record)
    if (!(await this.#isGenuine(record))) this.note('edited', seq)
    else if (held === undefined) {
      this.#held.set(seq, { hash, prev: link?.prev, line: this.#held.size })
      this.#lost += lost
    }
    // Written twice is fine: the same record.
    else if (held.hash !== hash) this.note('forked', seq)
  }

  /** Looks for gaps, forks and moves, once all records are there. */
  close(slack: number): void {
    let prev = GENESIS
    for (let seq = 0; seq < this.#held.size; seq += 1) {
      const held = this.#held.get(seq)
      if (held === undefined) this.note('dropped', seq)
      else if (held.prev !== undefined && held.prev !== prev) this.note('forked', seq)
      else if (Math.abs(held.line - seq) > slack) this.note('reordered', seq)
      if (this.#problem?.seq === seq) break
      prev = held?.hash ?? ''
    }
  }

  /** Compares the records with a checkpoint that is signed. */
  compare({ size, hash }: AuditCheckpoint): void {
    const whole = this.#problem?.seq ?? this.#held.size
    if (whole < size) this.note('truncated', whole)
    else if (this.#held.get(size - 1)?.hash !== hash) this.note('forked', size - 1)
    else if (this.#isChecked) this.#covered = Math.max(this.#covered, size)
  }

  async #isGenuine(record: AuditRecord): Promise<boolean> {
    const { plain, keyed, isLinkDemanded } = this.#digests
    const { link } = record
    if (link === undefined) return !isLinkDemanded
    if (keyed !== undefined && link.alg !== 'HMAC-SHA-256') return false
    const digest = link.alg === 'SHA-256' ? plain : keyed
    if (digest === undefined) {
      // Without the key nothing is known of this record.
      this.#isChecked = false
      return true
    }
    return encodeBase64Url(await digest(recordBytes({ ...record, link }))) === link.hash
  }
}
