import { isTexts } from '../../checks/index.ts'

/**
 * Returns the id of a record: the key itself, or a JSON array of the parts of a composite key, so that no two keys have
 * one id.
 */
export function idOf(parts: readonly string[]): string {
  return parts.length === 1 ? (parts[0] as string) : JSON.stringify(parts)
}

/**
 * Returns the parts of an id, or of a cursor, which is the id of the last record.
 *
 * @param count - how many parts a key of the source has
 * @throws RangeError for a text that {@link idOf} does not make of so many parts
 */
export function partsOf(id: string, count: number): readonly string[] {
  if (typeof id !== 'string') throw new TypeError('an id or a cursor must be a string')
  if (count === 1) return [id]
  const parts = parsed(id)
  if (isTexts(parts) && parts.length === count) return parts
  throw new RangeError(`an id or a cursor of this source is a JSON array of ${String(count)} texts`)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
