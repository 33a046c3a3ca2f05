import type { Bytes } from '../../../src/bytes/index.ts'
import { isKmsError, type KmsResult, type Outcome } from '../../../src/errors.ts'
import type { ContextInput } from '../../../src/index.ts'
import { demandAllowed, type PolicyOperation } from '../../../src/policy/index.ts'
import { ownBytes } from '../rpc/own-bytes.ts'
import type { Permitted } from './serve.ts'

interface Item {
  readonly context?: ContextInput
}

/**
 * Returns one result for each item, in order. An item whose context the policy does not allow gets its refusal,
 * and the work does not see it.
 *
 * @throws TypeError if the items are not an array
 */
export async function serveMany<T extends Item>(
  operation: PolicyOperation,
  { policy, key }: Permitted,
  items: readonly T[],
  work: (items: readonly T[]) => Promise<readonly Outcome<Bytes>[]>,
): Promise<readonly KmsResult<Bytes>[]> {
  if (!Array.isArray(items)) throw new TypeError('items must be an array')
  const given = Array.from(items as readonly (T | null | undefined)[]) // a hole is an item, too
  const refusals = given.map((item) => {
    try {
      demandAllowed(policy, { operation, key, context: item?.context })
      return undefined
    } catch (error) {
      return refusalOf(error)
    }
  })
  const allowed = given.filter((_, i) => refusals[i] === undefined)
  const outcomes = await work(allowed as readonly T[])
  let next = 0
  return refusals.map((refusal) => refusal ?? resultOf(outcomes[next++] as Outcome<Bytes>))
}

function refusalOf(error: unknown): KmsResult<never> {
  if (isKmsError(error)) return { ok: false, error: error.toJSON() }
  throw error
}

function resultOf(outcome: Outcome<Bytes>): KmsResult<Bytes> {
  return outcome.ok
    ? { ok: true, value: ownBytes(outcome.value, 'value') }
    : { ok: false, error: outcome.error.toJSON() }
}
