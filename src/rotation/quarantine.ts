import { concatBytes, encodeBase64Url, encodeU64, encodeUtf8 } from '../bytes/index.ts'
import { sha256 } from '../ciphers/index.ts'
import type { StoredValue } from './record-source.ts'
import { rawBytes } from './stored-value.ts'

/** Values that are remembered: the state must stay small. */
const MAX_VALUES = 1_000
/** Bytes of each hash: of a million values, one equals another's by chance once in 10^19 jobs. */
const ID_BYTES = 12

/** The place of a value, and the value itself when it failed. */
export interface QuarantinedValue {
  readonly source: string
  readonly id: string
  readonly field: string
  readonly value: StoredValue
}

/** Values that failed, so that later sweeps of the job leave them alone until their bytes change. */
export class Quarantine {
  readonly #ids: Set<string>

  constructor(ids: readonly string[]) {
    this.#ids = new Set(ids)
  }

  /** Returns the ids, for the state. */
  get ids(): readonly string[] {
    return [...this.#ids]
  }

  /** Whether this very value has failed before. */
  async holds(value: QuarantinedValue): Promise<boolean> {
    return this.#ids.size > 0 && this.#ids.has(await idOf(value))
  }

  /** Remembers a value that failed, if there is room. */
  async add(value: QuarantinedValue): Promise<void> {
    if (this.#ids.size < MAX_VALUES) this.#ids.add(await idOf(value))
  }
}

async function idOf({ source, id, field, value }: QuarantinedValue): Promise<string> {
  const names = [source, id, field].map(encodeUtf8)
  const parts = [...names, rawBytes(value)].flatMap((part) => [encodeU64(part.length), part])
  return encodeBase64Url((await sha256(concatBytes(...parts))).subarray(0, ID_BYTES))
}
