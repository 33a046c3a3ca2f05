import { encodeBase64Url } from '../bytes/index.ts'
import type { Runtime } from '../ports/index.ts'
import type { KmsAuditEvent } from './audit-event.ts'
import type { Digest } from './audit-keys.ts'
import { type AuditLink, type AuditRecord, GENESIS, recordBytes } from './audit-record.ts'

/** Numbers the events of one writer and, where it has a digest, links each record to the one before it. */
export class AuditChain {
  readonly #runtime: Runtime
  readonly #digest: Digest | undefined
  readonly #alg: AuditLink['alg']
  #writer: string | undefined
  #next = 0
  #prev = GENESIS

  constructor(runtime: Runtime, digest: Digest | undefined, alg: AuditLink['alg']) {
    this.#runtime = runtime
    this.#digest = digest
    this.#alg = alg
  }

  /** Returns the next record, frozen: a sink must not change it. It has its place only once {@link commit} took it. */
  async seal(event: KmsAuditEvent, lost: number): Promise<AuditRecord> {
    const record = { v: 1 as const, writer: this.#name(), seq: this.#next, lost, event }
    if (this.#digest === undefined) return Object.freeze(record)
    const open = { alg: this.#alg, prev: this.#prev }
    const hash = encodeBase64Url(await this.#digest(recordBytes({ ...record, link: open })))
    return Object.freeze({ ...record, link: Object.freeze({ ...open, hash }) })
  }

  /** Goes on after this record. */
  commit({ seq, link }: AuditRecord): void {
    this.#next = seq + 1
    this.#prev = link?.hash ?? GENESIS
  }

  /** Drawn at first use: at import some platforms have no random numbers, and a snapshot would clone it. */
  #name(): string {
    this.#writer ??= encodeBase64Url(this.#runtime.randomFill(new Uint8Array(16)))
    return this.#writer
  }
}
