import { isKmsError, type KmsErrorCode } from '../errors.ts'

/** One case of a contract suite, for any test runner: `test(case.name, case.run)`. */
export interface ContractCase {
  readonly name: string
  /** The reason why this subject cannot run the case, which names the missing capability. Print it. */
  readonly skip?: string
  readonly run: () => Promise<void>
}

/** A contract that does not hold. */
export class ContractViolation extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ContractViolation'
  }
}

/** @throws ContractViolation if the condition is false */
export function demand(condition: boolean, message: string): asserts condition {
  if (!condition) throw new ContractViolation(message)
}

/** The work must reject with one of these codes. Returns the code. */
export async function demandCode(
  work: Promise<unknown>,
  ...codes: readonly KmsErrorCode[]
): Promise<KmsErrorCode> {
  let caught: unknown
  try {
    await work
  } catch (error) {
    caught = error
  }
  demand(caught !== undefined, `expected ${codes.join(' or ')}, but it succeeded`)
  demand(isKmsError(caught), 'expected a KmsError, got another error')
  demand(codes.includes(caught.code), `expected ${codes.join(' or ')}, got ${caught.code}`)
  return caught.code
}
