/**
 * Returns a list of texts as PostgreSQL writes an array. It travels as one text parameter, which every client carries
 * alike, however long it is; lists of `VALUES` wrap at 65,536 parameters.
 *
 * @see https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO
 */
export function postgresArray(texts: readonly (string | null)[]): string {
  const elements = texts.map((text) =>
    text === null ? 'NULL' : `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`,
  )
  return `{${elements.join(',')}}`
}
