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

/** Makes the rewrap of one header: the KMS's, or a forecast of it. */
export interface HeaderRewrapper {
  /** Returns the new key header. */
  rewrap(task: RewrapTask, signal: AbortSignal | undefined): Promise<Bytes>
}

/** Rewraps each distinct header once. */
export class HeaderRewraps {
  readonly #rewrapper: HeaderRewrapper
  readonly #memo = new BoundedMap<string, Bytes>(MAX_HEADERS)

  constructor(rewrapper: HeaderRewrapper) {
    this.#rewrapper = rewrapper
  }

  /** Returns the new header of a data key, from memory where this process made it before. */
  async of(
    id: string,
    task: RewrapTask,
    signal: AbortSignal | undefined,
  ): Promise<Outcome<Bytes>> {
    const known = this.#memo.get(id)
    if (known !== undefined) return { ok: true, value: known }
    const outcome = await settle(() => this.#rewrapper.rewrap(task, signal))
    if (outcome.ok && task.header.bytes.length <= MAX_HEADER_BYTES)
      this.#memo.set(id, outcome.value)
    return outcome
  }

  /** Forgets all headers: other versions are current now. */
  clear(): void {
    this.#memo.clear()
  }
}

/** Returns a text that is equal for equal headers under equal contexts. */
export function taskId({ header, context }: RewrapTask): string {
  return `${String(header.bytes.length)} ${binaryString(header.bytes)} ${contextId(context)}`
}
