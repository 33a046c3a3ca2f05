import { binaryString, type Bytes } from '../bytes/index.ts'
import { type Outcome, settle } from '../errors.ts'
import { contextId, type EncryptionContext } from '../kms/index.ts'
import { BoundedMap } from '../runtime/index.ts'
import type { KeyHeader } from '../wire/index.ts'

/** Headers whose rewrap is remembered over the pages of one process, and how long one may be. */
const MAX_HEADERS = 4_096
const MAX_HEADER_BYTES = 4_096

/** A data key that is to be rewrapped: its header, and the context that it is bound to. */
export interface RewrapTask {
  readonly header: KeyHeader
  readonly context: EncryptionContext
}

/** Makes the rewrap of one header: by the KMS, or as a forecast of what that would cost. */
export interface HeaderRewrapper<T extends RewrapTask> {
  /** Requests to the KMS that were made, or would have been, so far. */
  readonly requests: number
  /** Counts the requests of a rewrap that a source makes itself, where nothing can count them; returns how many. */
  note(task: T): number
  /** Returns the new key header. */
  rewrap(task: T, signal: AbortSignal | undefined): Promise<Bytes>
}

/** Returns the new header of a data key; `id` is its {@link taskId}. */
export type RewrapHeader<T extends RewrapTask> = (
  id: string,
  task: T,
  signal: AbortSignal | undefined,
) => Promise<Outcome<Bytes>>

/** New headers by old ones, so that each distinct header is rewrapped once over the pages of one process. */
export class HeaderRewraps<T extends RewrapTask> {
  readonly #memo = new BoundedMap<string, Bytes>(MAX_HEADERS)

  /** Returns a function that rewraps a header, unless that was done before. */
  by(rewrapper: HeaderRewrapper<T>): RewrapHeader<T> {
    return async (id, task, signal) => {
      const known = this.#memo.get(id)
      if (known !== undefined) return { ok: true, value: known }
      const outcome = await settle(() => rewrapper.rewrap(task, signal))
      if (outcome.ok && isRemembered(task)) this.#memo.set(id, outcome.value)
      return outcome
    }
  }

  /** Forgets all headers: other versions are current now. */
  clear(): void {
    this.#memo.clear()
  }
}

/** Whether a header is remembered: attackers may write long ones, and thousands of those would fill the memory. */
export function isRemembered({ header }: RewrapTask): boolean {
  return header.bytes.length <= MAX_HEADER_BYTES
}

/** Returns a text that is equal for equal headers under equal contexts. */
export function taskId({ header, context }: RewrapTask): string {
  return `${String(header.bytes.length)} ${binaryString(header.bytes)} ${contextId(context)}`
}
