import { ERROR_TABLE, type ErrorRow, type RefusalKind } from './error-table.ts'

/** An error answer of one of Google's APIs. */
export class Refusal extends Error {
  readonly row: ErrorRow
  /** The resource that it is about. */
  readonly subject: string

  /** @param message - instead of the row's own; never holds a plaintext, a secret or a token */
  constructor(kind: RefusalKind, message: string = ERROR_TABLE[kind].message, subject = '') {
    super(message)
    this.name = 'Refusal'
    this.row = ERROR_TABLE[kind]
    this.subject = subject
  }
}

/** An error answer of a token endpoint: RFC 6749 section 5.2. */
export class OAuthRefusal extends Error {
  readonly code: string

  constructor(code: string, description: string) {
    super(description)
    this.name = 'OAuthRefusal'
    this.code = code
  }
}
