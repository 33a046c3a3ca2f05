/** An error as both protocols name it: JSON 1.1 of KMS, the query protocol of STS. */
export interface ErrorRow {
  readonly json: string
  readonly jsonStatus: number
  readonly query: string
  readonly queryStatus: number
  readonly message: string
  /**
   * The source of the row. `API_…` and `CommonErrors` are pages of the KMS and STS API References;
   * `recorded` is an answer of AWS itself, as LocalStack's validated test of that name keeps it.
   */
  readonly source: string
}

/** An error of KMS alone. All answer 400 on the wire, whatever the model says (recorded). */
export function kms(json: string, message: string, source: string): ErrorRow {
  return { json, jsonStatus: 400, query: json, queryStatus: 400, message, source }
}

/** An error of STS alone. */
export function sts(query: string, queryStatus: number, message: string, source: string): ErrorRow {
  return { json: query, jsonStatus: queryStatus, query, queryStatus, message, source }
}

/** An error that each protocol names in its own way. */
export function common(
  json: readonly [name: string, status: number],
  query: readonly [name: string, status: number],
  message: string,
  source: string,
): ErrorRow {
  const [jsonName, jsonStatus] = json
  const [queryName, queryStatus] = query
  return { json: jsonName, jsonStatus, query: queryName, queryStatus, message, source }
}
