/**
 * The rows of an answer that is not trusted.
 *
 * @throws TypeError for what is no list
 */
export function rowsOf(answer: unknown): readonly unknown[] {
  const rows: unknown = (answer as { readonly results?: unknown }).results
  if (Array.isArray(rows)) return rows
  throw new TypeError('no rows')
}

/** A column of a row that is not trusted. */
export function columnOf(row: unknown, name: string): unknown {
  return (Object(row) as Readonly<Record<string, unknown>>)[name]
}
