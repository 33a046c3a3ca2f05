import { KmsError } from '../errors.ts'
import type { Network, Observer, Runtime } from '../ports/index.ts'
import { keepAlive, notify } from '../runtime/index.ts'
import type { AuditChain } from './audit-chain.ts'
import type { Checkpointer } from './audit-checkpoints.ts'
import type { KmsAuditEvent } from './audit-event.ts'
import { AuditFlight } from './audit-flight.ts'
import type { AuditCheckpoint, AuditRecord, AuditSink } from './audit-record.ts'
import { takeBatch, Ticket } from './audit-ticket.ts'
import { writeRecords } from './write-records.ts'

/** Parts that the queue uses. */
export interface QueueOptions {
  readonly sink: AuditSink
  readonly mode: 'open' | 'closed'
  readonly timeoutMs: number
  readonly maxQueueBytes: number
  readonly chain: AuditChain
  readonly checkpointer: Checkpointer | undefined
  readonly runtime: Runtime
  readonly network: Network
  readonly observer: Observer | undefined
}

type Defer = (work: Promise<unknown>) => void

/** A batch starts with so many records, and doubles while the sink takes it in a quarter of its time. */
const FIRST_BATCH = 64
const MAX_BATCH = 1_000

/**
 * Writes records in order and in batches: what comes while a batch is under way goes into the next one. One
 * of the calls that wait writes the batch, hands over when its own records are safe, and is replaced if it
 * dies: each call waits on a timer of its own. Events that a dead one has hashed are not hashed again.
 */
export class AuditQueue {
  readonly #options: QueueOptions
  /** In the order of their records. One that failed stays, and goes along with the next batch. */
  #tickets: Ticket[] = []
  #bytes = 0
  /** Events that were refused since the last record. */
  #lost = 0
  #limit = FIRST_BATCH
  readonly #flight: AuditFlight
  #last: AuditRecord | undefined

  constructor(options: QueueOptions) {
    this.#options = options
    this.#flight = new AuditFlight(options)
  }

  /**
   * Resolves when these events are in the log.
   *
   * @throws KmsError `ERR_STORE_UNAVAILABLE`, also if the queue is full: then they are lost
   */
  async write(events: readonly KmsAuditEvent[], defer?: Defer): Promise<void> {
    const bytes = JSON.stringify(events).length
    if (this.#bytes + bytes <= this.#options.maxQueueBytes) {
      this.#bytes += bytes
      return this.#settled(new Ticket(events, bytes), defer)
    }
    this.#lost += events.length
    this.#tell('audit-loss', events)
    // The events that fill the queue may wait for a call that writes them.
    if (!this.#flight.isLive) {
      const nudge = this.#settled(new Ticket([], 0), defer).catch(() => undefined)
      keepAlive(defer, nudge)
    }
    throw new KmsError('ERR_STORE_UNAVAILABLE', {
      message: 'the audit queue is full: the sink is too slow, or maxQueueBytes too small',
    })
  }

  /**
   * Writes what is in the queue, and returns a checkpoint of it.
   *
   * @throws KmsError `ERR_STORE_UNAVAILABLE`
   */
  async checkpoint(): Promise<AuditCheckpoint | undefined> {
    const ticket = new Ticket([], 0, true)
    await this.#settled(ticket)
    return ticket.checkpoint
  }

  async #settled(ticket: Ticket, defer?: Defer): Promise<void> {
    this.#tickets.push(ticket)
    while (!ticket.isSettled) {
      if (!this.#flight.isLive) {
        const work = this.#fly(ticket)
        keepAlive(defer, work)
      }
      const cancel = this.#options.network.after(this.#flight.stallMs, () => {
        ticket.wake()
      })
      await ticket.change()
      cancel()
    }
    if (ticket.error !== undefined) throw ticket.error
  }

  /** Writes batches until this ticket is settled. */
  async #fly(own: Ticket): Promise<void> {
    const flight = this.#flight.begin()
    while (!own.isSettled && this.#flight.is(flight)) await this.#attempt(flight)
    if (!this.#flight.end(flight)) return
    this.#tickets.find(({ isSettled }) => !isSettled)?.wake()
  }

  async #attempt(flight: object): Promise<void> {
    const batch = takeBatch(this.#tickets, this.#limit)
    try {
      if (!(await this.#seal(batch, flight))) return
      await this.#write(batch.filter(({ isWritten }) => !isWritten).flatMap((one) => one.records))
    } catch (cause) {
      if (this.#flight.is(flight)) this.#fail(cause)
      return
    }
    for (const ticket of batch) ticket.isWritten = true
    this.#flight.moved()
    await this.#cover(batch)
    const done = new Set(batch)
    this.#tickets = this.#tickets.filter((ticket) => !done.has(ticket))
    for (const ticket of batch) {
      this.#bytes -= ticket.bytes
      ticket.settle()
    }
  }

  /** Whether every record has its hash; `false`: another flight took over. */
  async #seal(batch: readonly Ticket[], flight: object): Promise<boolean> {
    const { chain } = this.#options
    for (const { events, records } of batch)
      while (records.length < events.length) {
        const at = records.length
        const record = await chain.seal(events[at] as KmsAuditEvent, this.#lost)
        // If a flight that counted as dead hashes the same record, the first result counts.
        if (records.length === at) {
          chain.commit(record)
          records.push(record)
          this.#lost -= record.lost
          this.#flight.moved()
        }
        if (!this.#flight.is(flight)) return false
      }
    return true
  }

  async #write(records: readonly AuditRecord[]): Promise<void> {
    const last = records.at(-1)
    if (last === undefined) return
    const { timeoutMs, runtime } = this.#options
    const startedMs = runtime.now()
    await writeRecords(Object.freeze(records), this.#options)
    if (runtime.now() - startedMs <= timeoutMs / 4)
      this.#limit = Math.min(MAX_BATCH, this.#limit * 2)
    if (last.seq >= (this.#last?.seq ?? 0)) this.#last = last
  }

  /** The order is fixed: if the first cannot be written, none behind it can. All stay for the next attempt. */
  #fail(cause: unknown): void {
    const message = 'the audit record could not be written'
    const error = new KmsError('ERR_STORE_UNAVAILABLE', { message, cause })
    this.#limit = Math.max(1, Math.floor(this.#limit / 2))
    const waiting = this.#tickets.filter(({ isSettled }) => !isSettled)
    this.#tickets = this.#tickets.filter(({ events }) => events.length > 0)
    for (const ticket of waiting) {
      if (!ticket.isWritten) this.#tell('audit-loss', ticket.events)
      ticket.settle(ticket.isWritten ? undefined : error)
    }
  }

  /** Has a checkpoint written where one is due or wanted. One that fails is due again with the next batch. */
  async #cover(batch: readonly Ticket[]): Promise<void> {
    const { checkpointer, mode } = this.#options
    const last = this.#last
    if (checkpointer === undefined || last === undefined) return
    const wanted = batch.filter(({ wantsCheckpoint }) => wantsCheckpoint)
    if (wanted.length === 0 && !checkpointer.isDue(last)) return
    try {
      const checkpoint = await checkpointer.cover(last)
      for (const ticket of wanted) ticket.checkpoint = checkpoint
    } catch (error) {
      this.#tell('checkpoint-loss', batch.flatMap(({ events }) => events).slice(0, 1))
      const failed = mode === 'closed' && checkpointer.isOverdue(last) ? batch : wanted
      for (const ticket of failed) ticket.settle(error as KmsError)
    }
    this.#flight.moved()
  }

  #tell(type: 'audit-loss' | 'checkpoint-loss', events: readonly KmsAuditEvent[]): void {
    for (const { provider, operation } of events) {
      const facts = { provider, operation }
      notify(
        this.#options.observer,
        type === 'audit-loss' ? { type, ...facts } : { type, ...facts },
      )
    }
  }
}
