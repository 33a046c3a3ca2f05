import { KmsError } from '../errors.ts'

/** A cursor that a walk had some pages ago: one that comes back would be followed for ever. */
export interface CursorMark {
  readonly cursor: string
  /** Pages since then, and after how many the mark moves on. */
  readonly pages: number
  readonly most: number
}

/**
 * Returns the mark of a walk that goes on at another cursor. It moves after 2, 4, 8, … pages, so a circle of any
 * length is found, and one cursor is all that a state must keep.
 *
 * @throws KmsError `ERR_KMS_CONFIG` for a cursor that the walk had before
 */
export function markCursor(
  source: string,
  mark: CursorMark | undefined,
  from: string | undefined,
  cursor: string,
): CursorMark {
  if (cursor === from || cursor === mark?.cursor) {
    const message = `source ${source}: page must answer another cursor than before, or none at the end`
    throw new KmsError('ERR_KMS_CONFIG', { message })
  }
  if (mark !== undefined && mark.pages + 1 < mark.most) return { ...mark, pages: mark.pages + 1 }
  return { cursor, pages: 0, most: 2 * (mark?.most ?? 1) }
}
