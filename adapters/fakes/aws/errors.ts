import { ERROR_TABLE, type RefusalKind } from './error-table.ts'

/** An error answer of AWS. */
export class Refusal extends Error {
  readonly kind: RefusalKind

  /** @param message - instead of the row's own; never holds a plaintext, a secret or a token */
  constructor(kind: RefusalKind, message: string = ERROR_TABLE[kind].message) {
    super(message)
    this.name = 'Refusal'
    this.kind = kind
  }

  /** The name and status that this protocol gives it. */
  as(protocol: 'json' | 'query'): { readonly code: string; readonly status: number } {
    const row = ERROR_TABLE[this.kind]
    return protocol === 'json'
      ? { code: row.json, status: row.jsonStatus }
      : { code: row.query, status: row.queryStatus }
  }
}
