import type { Bytes } from '../../../src/bytes/index.ts'
import { connectionReset, type PlainAnswer, respond } from './fault-bodies.ts'
import { FaultScript, type ScriptedFault } from './fault-script.ts'
import { pause } from './pause.ts'

/** A request, read to its end. */
export interface ReceivedRequest {
  readonly method: string
  readonly url: URL
  readonly headers: Headers
  readonly body: Bytes
}

/** Members that every record of a call has. */
interface DoorRecord {
  readonly operation: string
  status?: number
  fault?: string
}

/** Members of a fault that acts on any request. */
interface DoorFault extends ScriptedFault {
  readonly delayMs?: number
  readonly sizeBytes?: number
}

/** A request that waits for its answer, and the fault that it met. */
export interface DoorCall<F, R> {
  readonly request: Request
  readonly received: ReceivedRequest
  readonly record: R
  readonly fault: F | undefined
}

/** Records, delays and breaks requests, as every fake server does. */
export class FrontDoor<F extends DoorFault, R extends DoorRecord> {
  readonly faults: FaultScript<F> = new FaultScript<F>()
  #calls: R[] = []

  get calls(): readonly R[] {
    return this.#calls
  }

  forgetCalls(): void {
    this.#calls = []
  }

  /** Reads a request, records it and waits as its fault says. @throws TypeError for a connection that breaks */
  async receive(
    request: Request,
    recordOf: (received: ReceivedRequest) => R,
  ): Promise<DoorCall<F, R>> {
    // Requests of other frameworks may come without one.
    const signal = request.signal as AbortSignal | undefined
    signal?.throwIfAborted()
    const { method, headers } = request
    const body: Bytes = new Uint8Array(await request.arrayBuffer())
    const received = { method, url: new URL(request.url), headers, body }
    const record = recordOf(received)
    this.#calls.push(record)
    const fault = this.faults.take(record.operation)
    if (fault !== undefined) record.fault = fault.kind
    const delayMs = fault?.delayMs ?? (fault?.kind === 'slow' ? 1_000 : 0)
    if (delayMs > 0) await pause(delayMs, signal)
    if (fault?.kind === 'reset') throw connectionReset()
    return { request, received, record, fault }
  }

  /** Returns the response. A fault that had nothing to change waits for the next call. */
  reply(
    { request, record, fault }: DoorCall<F, R>,
    answer: PlainAnswer,
    needsSuccess: (fault: F) => boolean,
  ): Response {
    record.status = answer.status
    if (fault !== undefined && needsSuccess(fault) && answer.status !== 200) {
      this.faults.giveBack(fault)
      delete record.fault
    }
    return respond(answer, fault, request)
  }
}

/** How far a scripted fault puts the server's clock ahead, milliseconds. */
export function skewMsOf(
  fault: (ScriptedFault & { readonly skewMs?: number }) | undefined,
): number {
  return fault?.kind === 'skewed-clock' ? (fault.skewMs ?? 1_200_000) : 0
}
