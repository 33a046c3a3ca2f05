/** An error answer of Vault. */
export class Refusal extends Error {
  readonly status: number
  readonly errors: readonly string[]

  /** @param errors - as Vault says them; they never hold a plaintext, a secret or a token */
  constructor(status: number, ...errors: readonly string[]) {
    super(errors.join('\n'))
    this.name = 'Refusal'
    this.status = status
    this.errors = errors
  }
}

/** A token that is unknown, expired or not allowed: Vault does not say which. */
export function denied(): Refusal {
  return new Refusal(403, '1 error occurred:\n\t* permission denied\n\n')
}

/** The refusal of a path that does not exist. A look-up that finds nothing has no words. */
export function notFound(...errors: readonly string[]): Refusal {
  return new Refusal(404, ...errors)
}
