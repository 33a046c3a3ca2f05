/** Returns a column of a row that is not trusted. */
export function columnOf(row: unknown, name: string): unknown {
  return (Object(row) as Readonly<Record<string, unknown>>)[name]
}
