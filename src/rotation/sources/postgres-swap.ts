import { encodeBase64 } from '../../bytes/index.ts'
import { columnOf } from '../../stores/index.ts'
import type { StoredValue } from '../record-source.ts'
import type { PlacedChange } from './change-rounds.ts'
import { postgresArray } from './postgres-array.ts'
import type { PostgresTable } from './postgres-table.ts'
import { partsOf } from './record-ids.ts'
import type { TableColumns } from './table-options.ts'

/** One swap statement's parameters, and what its rows say. */
export interface SwapCall {
  /** Numbers of the value columns that it changes. */
  readonly fields: readonly number[]
  readonly lists: readonly string[]
  /** Adds the places of the changes that were made. */
  note(rows: readonly unknown[], swapped: Set<number>): void
}

/**
 * Returns one statement's part of a swap: a row for each id, with every change of that row.
 *
 * @throws TypeError for bytes in a text column, or text in one of bytes
 */
export function swapCall(
  round: readonly PlacedChange[],
  { key, values }: TableColumns,
  { areBytes }: PostgresTable,
): SwapCall {
  const rows = byId(round)
  const ids = [...rows.keys()]
  const fields = values.flatMap((name, at) => (round.some((one) => one.field === name) ? [at] : []))
  const lists = fields.flatMap((field) => {
    const isBytes = areBytes[field] === true
    const changes = ids.map((id) => rows.get(id)?.find((one) => one.field === values[field]))
    return [
      postgresArray(changes.map((change) => textOf(change?.expected, isBytes))),
      postgresArray(changes.map((change) => textOf(change?.next, isBytes))),
    ]
  })
  return {
    fields,
    lists: [...keyLists(ids, key.length), ...lists],
    note(answer, swapped) {
      for (const row of answer) {
        const id = ids[Number(columnOf(row, 'at')) - 1] ?? ''
        for (const { field, at } of rows.get(id) ?? []) {
          const mark = `m${String(fields.indexOf(values.indexOf(field)))}`
          if (columnOf(row, mark) === 1) swapped.add(at)
        }
      }
    },
  }
}

/** Returns the keys of these ids: a list for each part. */
export function keyLists(ids: readonly string[], count: number): readonly string[] {
  const keys = ids.map((id) => partsOf(id, count))
  return Array.from({ length: count }, (_, part) =>
    postgresArray(keys.map((key) => key[part] ?? null)),
  )
}

function byId(round: readonly PlacedChange[]): ReadonlyMap<string, readonly PlacedChange[]> {
  const rows = new Map<string, PlacedChange[]>()
  for (const change of round) {
    const row = rows.get(change.id)
    if (row === undefined) rows.set(change.id, [change])
    else row.push(change)
  }
  return rows
}

function textOf(value: StoredValue | undefined, isBytes: boolean): string | null {
  if (value === undefined) return null
  if ((typeof value !== 'string') !== isBytes) {
    throw new TypeError('bytes belong in a column of bytes, and text in one of text')
  }
  return typeof value === 'string' ? value : encodeBase64(value)
}
