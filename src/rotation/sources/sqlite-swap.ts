import type { PlacedChange } from './change-rounds.ts'
import { hexOf } from './hex.ts'
import { partsOf } from './record-ids.ts'
import { kindOf } from './source-options.ts'
import type { SqliteStatement } from './sqlite-database.ts'
import type { SqliteRecordSql, SwapKind } from './sqlite-record-sql.ts'

/** A statement, and the place of the change of each id. */
export interface SwapStatement extends SqliteStatement {
  readonly places: ReadonlyMap<string, number>
}

/** Longest parameter, characters: D1 takes texts of 2 MB in UTF-8. */
const MAX_TEXT = 500_000

/** Returns the statements that make the changes; no two of them are of one value. */
export function swapStatements(
  round: readonly PlacedChange[],
  sql: SqliteRecordSql,
  parts: number,
): readonly SwapStatement[] {
  return groupsOf(round).flatMap(({ field, kind, changes }) => {
    const small = changes.filter((change) => sizeOf(change) <= MAX_TEXT)
    const large = changes.filter((change) => sizeOf(change) > MAX_TEXT)
    return [
      ...batchesOf(small).map((batch) => {
        const rows = batch.map(({ id, expected, next }) => [
          ...partsOf(id, parts),
          ...[expected, next].map((value) => (typeof value === 'string' ? value : hexOf(value))),
        ])
        const values = [JSON.stringify(rows)]
        return { sql: sql.swapMany(field, kind), values, places: placesOf(batch) }
      }),
      ...large.map((change) => {
        const values = [change.next, ...partsOf(change.id, parts), change.expected]
        return { sql: sql.swapOne(field), values, places: placesOf([change]) }
      }),
    ]
  })
}

interface Group {
  readonly field: string
  readonly kind: SwapKind
  readonly changes: PlacedChange[]
}

function groupsOf(round: readonly PlacedChange[]): readonly Group[] {
  const groups = new Map<string, Group>()
  for (const change of round) {
    const { field } = change
    const kind = kindOf(change.expected)
    const name = JSON.stringify([field, kind])
    const group = groups.get(name) ?? { field, kind, changes: [] }
    groups.set(name, group)
    group.changes.push(change)
  }
  return [...groups.values()]
}

function batchesOf(changes: readonly PlacedChange[]): readonly (readonly PlacedChange[])[] {
  const batches: PlacedChange[][] = []
  let room = 0
  for (const change of changes) {
    const size = sizeOf(change)
    if (size > room) {
      batches.push([])
      room = MAX_TEXT
    }
    batches.at(-1)?.push(change)
    room -= size
  }
  return batches
}

/** Characters of a change in JSON, about. */
function sizeOf({ id, expected, next }: PlacedChange): number {
  const digits = kindOf(expected) === 'bytes' ? 2 : 1
  return id.length + digits * (expected.length + next.length) + 16
}

function placesOf(changes: readonly PlacedChange[]): ReadonlyMap<string, number> {
  return new Map(changes.map(({ id, at }) => [id, at]))
}
