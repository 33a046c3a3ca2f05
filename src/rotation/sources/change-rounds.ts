import type { RecordChange, SwapOutcome } from '../record-source.ts'

/** A change with its place among the outcomes. */
export interface PlacedChange extends RecordChange {
  readonly at: number
}

/**
 * Returns the changes in rounds, one after the other; no round has two changes of one value, because one statement
 * changes a row once. Nearly always it is one round.
 */
export function changeRounds(changes: readonly RecordChange[]): readonly PlacedChange[][] {
  const rounds: PlacedChange[][] = []
  const seen = new Map<string, number>()
  changes.forEach((change, at) => {
    const value = JSON.stringify([change.id, change.field])
    const turn = seen.get(value) ?? 0
    seen.set(value, turn + 1)
    ;(rounds[turn] ??= []).push({ ...change, at })
  })
  return rounds
}

/**
 * Returns one outcome for each change.
 *
 * @param swapped - places of those that were made
 */
export function outcomesOf(count: number, swapped: ReadonlySet<number>): readonly SwapOutcome[] {
  return Array.from({ length: count }, (_, at) => (swapped.has(at) ? 'swapped' : 'lost'))
}
