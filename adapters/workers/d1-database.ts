/** The members of a `D1Database` binding that the stores use. */
export interface D1DatabaseBinding {
  prepare(sql: string): D1StatementBinding
  batch(
    statements: D1StatementBinding[],
  ): Promise<readonly { readonly results: readonly unknown[] }[]>
}

/** The members of a `D1PreparedStatement` that the stores use. */
export interface D1StatementBinding {
  bind(...values: unknown[]): D1StatementBinding
  all(): Promise<{ readonly results: readonly unknown[] }>
}

/**
 * Returns the rows of an answer that is not trusted.
 *
 * @throws TypeError for an answer without a list of rows
 */
export function rowsOf(answer: unknown): readonly unknown[] {
  const rows: unknown = (answer as { readonly results?: unknown }).results
  if (Array.isArray(rows)) return rows
  throw new TypeError('no rows')
}
