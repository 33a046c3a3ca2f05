import { binaryString } from '../bytes/index.ts'
import type { MessageHead } from '../wire/index.ts'

/** Finds messages by reference whose data-key record is in no source: their wraps may be under any version. */
export class DanglingReferences {
  readonly #records = new Set<string>()
  readonly #references = new Map<string, number>()

  /** Notes a message. Whether a record opens is for others to prove: it may be made up. */
  see({ kind, commitment }: MessageHead): void {
    const id = binaryString(commitment)
    if (kind === 'data-key-record') this.#records.add(id)
    else if (kind.endsWith('by-reference'))
      this.#references.set(id, (this.#references.get(id) ?? 0) + 1)
  }

  /** Returns how many there are, once all sources were walked. */
  count(): number {
    let messages = 0
    for (const [id, held] of this.#references) if (!this.#records.has(id)) messages += held
    return messages
  }
}
