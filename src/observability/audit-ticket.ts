import type { KmsError } from '../errors.ts'
import type { KmsAuditEvent } from './audit-event.ts'
import type { AuditCheckpoint, AuditRecord } from './audit-record.ts'

/** The events of one call on their way to the sink; without events it waits for those before it. */
export class Ticket {
  readonly events: readonly KmsAuditEvent[]
  /** Bytes that the events take of the queue. */
  readonly bytes: number
  readonly wantsCheckpoint: boolean
  /** The records that have their hash. */
  readonly records: AuditRecord[] = []
  /** The sink has them. */
  isWritten = false
  isSettled = false
  error: KmsError | undefined
  checkpoint: AuditCheckpoint | undefined
  #ring: (() => void) | undefined

  constructor(events: readonly KmsAuditEvent[], bytes: number, wantsCheckpoint = false) {
    this.events = events
    this.bytes = bytes
    this.wantsCheckpoint = wantsCheckpoint
  }

  /** Resolves at the next {@link wake}; look at the state before and after. */
  change(): Promise<void> {
    return new Promise((resolve) => (this.#ring = resolve))
  }

  wake(): void {
    this.#ring?.()
  }

  /** Ends the wait of the call. The first word counts. */
  settle(error?: KmsError): void {
    if (this.isSettled) return
    this.isSettled = true
    this.error = error
    this.wake()
  }
}

/** A batch ends here, unless a single call has more. */
const MAX_BATCH_BYTES = 1_048_576

/** Returns the first tickets, with at most so many records, but always one ticket. */
export function takeBatch(tickets: readonly Ticket[], maxRecords: number): readonly Ticket[] {
  let [size, bytes, count] = [0, 0, 0]
  for (const ticket of tickets) {
    size += ticket.events.length
    bytes += ticket.bytes
    if (count > 0 && (size > maxRecords || bytes > MAX_BATCH_BYTES)) break
    count += 1
  }
  return tickets.slice(0, count)
}
