import { plainOptions, wrongOption } from '../../checks/index.ts'
import type { StoreCalls } from '../../stores/index.ts'
import type {
  RecordChange,
  RecordPage,
  RotationRecord,
  SourceOptions,
  SwapOutcome,
  ValueSource,
} from '../record-source.ts'
import {
  checkId,
  checkLimit,
  copyOf,
  kindOf,
  sourceCalls,
  type SourceCallOptions,
  sourceName,
} from './source-options.ts'

/** Options of {@link iterableSource}. */
export interface IterableSourceOptions extends SourceCallOptions {
  /** Names the source in state, counts and failures: 1 to 64 letters, digits, `.`, `_` and `-`. */
  readonly name: string
  /**
   * Returns the records after the one with this id, or all records, in a stable order of their ids. Once a page is
   * full, the iteration ends early by `return()`: an async generator then runs its `finally`.
   */
  readonly records: (
    after: string | undefined,
    options: SourceOptions,
  ) => AsyncIterable<RotationRecord>
  /** Returns records by their ids, as `ValueSource.read`. Without it, `records` is walked from its beginning. */
  readonly read?: ValueSource['read']
  /** Replaces values if they are the expected ones, as `ValueSource.swap`. It must compare and write atomically. */
  readonly swap: ValueSource['swap']
}

/**
 * Returns any async iterable and a writer as a source: files, an API, a database that has no source here.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function iterableSource(options: IterableSourceOptions): ValueSource {
  const { name, records, read, swap, ...common } = plainOptions(options)
  for (const [key, value] of Object.entries({ records, swap, read: read ?? swap })) {
    if (typeof value !== 'function') throw wrongOption(key, 'a function', value)
  }
  if ((name as unknown) === undefined)
    throw wrongOption('name', '1 to 64 letters, digits, `.`, `_` and `-`')
  return new IterableSource(
    { name: sourceName(name, ''), records, read, swap },
    sourceCalls('iterable', common),
  )
}

type Parts = Pick<IterableSourceOptions, 'name' | 'records' | 'swap'> & {
  readonly read: ValueSource['read'] | undefined
}

class IterableSource implements ValueSource {
  readonly kind = 'values'
  readonly name: string
  readonly #parts: Parts
  readonly #calls: StoreCalls

  constructor(parts: Parts, calls: StoreCalls) {
    this.name = parts.name
    this.#parts = parts
    this.#calls = calls
  }

  async page(
    cursor: string | undefined,
    limit: number,
    options: SourceOptions,
  ): Promise<RecordPage> {
    checkLimit(limit)
    return this.#calls.run('page', options.signal, async (signal) => {
      const records: RotationRecord[] = []
      for await (const record of this.#parts.records(cursor, { signal })) {
        signal.throwIfAborted()
        const last = records.at(-1)
        // The page is full, and there is more.
        if (records.length === limit && last !== undefined) return { records, cursor: last.id }
        records.push(copied(record, this.name))
      }
      return { records }
    })
  }

  read(
    ids: readonly string[],
    options: SourceOptions,
  ): Promise<readonly (RotationRecord | undefined)[]> {
    return this.#calls.run('read', options.signal, async (signal) => {
      const found = await (this.#parts.read ?? this.#walk)(ids, { signal })
      return ids.map((_, at) => {
        const record = found[at]
        return record === undefined ? undefined : copied(record, this.name)
      })
    })
  }

  async swap(
    changes: readonly RecordChange[],
    options: SourceOptions,
  ): Promise<readonly SwapOutcome[]> {
    const copies = changes.map((change) => {
      const { expected, next } = change
      if (kindOf(expected) !== kindOf(next)) {
        throw new TypeError('expected and next must both be bytes, or both be text')
      }
      return { ...change, expected: copyOf(expected), next: copyOf(next) }
    })
    return this.#calls.run('swap', options.signal, async (signal) => {
      const outcomes = await this.#parts.swap(copies, { signal })
      if (!isOutcomes(outcomes, changes.length)) throw this.#calls.unreadable('swap')
      return outcomes
    })
  }

  readonly #walk: ValueSource['read'] = async (ids, { signal }) => {
    const found = new Map<string, RotationRecord>()
    const wanted = new Set(ids)
    for await (const record of this.#parts.records(undefined, { signal })) {
      signal?.throwIfAborted()
      if (wanted.has(record.id)) found.set(record.id, record)
      if (found.size === wanted.size) break
    }
    return ids.map((id) => found.get(id))
  }
}

function copied({ id, values, facts }: RotationRecord, source: string): RotationRecord {
  const copies = Object.entries(values).map(([field, value]) => [
    field,
    value === null ? null : copyOf(value),
  ])
  return {
    id: checkId(id, `source ${source}`),
    values: Object.fromEntries(copies) as RotationRecord['values'],
    ...(facts !== undefined && { facts }),
  }
}

/** The writer is the caller's: an answer of another shape must not pass for a swap. */
function isOutcomes(given: unknown, count: number): given is readonly SwapOutcome[] {
  if (!Array.isArray(given) || given.length !== count) return false
  return given.every((one) => one === 'swapped' || one === 'lost')
}
