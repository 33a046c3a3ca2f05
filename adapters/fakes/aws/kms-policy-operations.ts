import { Refusal } from './errors.ts'
import { keyPolicyOf } from './key-policy.ts'
import type { KmsCall, KmsOperation } from './kms-service.ts'
import { pageOf } from './pages.ts'
import { keyOf } from './permissions.ts'

/** A key has one policy, and this is its name. */
const NAME = 'default'

/** @see https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html */
export const putKeyPolicy: KmsOperation = (call) => {
  call.input.text('Policy')
  const policy = keyPolicyOf(call.input)
  const key = keyOf(call)
  demandDefault(call)
  if (policy !== undefined) key.policy = policy
  return {}
}

/** @see https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyPolicy.html */
export const getKeyPolicy: KmsOperation = (call) => {
  const key = keyOf(call)
  demandDefault(call)
  return { Policy: key.policy, PolicyName: NAME }
}

/** @see https://docs.aws.amazon.com/kms/latest/APIReference/API_ListKeyPolicies.html */
export const listKeyPolicies: KmsOperation = (call) => {
  keyOf(call)
  return pageOf(call, 'PolicyNames', [NAME], { usual: 100, most: 1_000 })
}

/** @throws Refusal `validation`, `notFound` */
function demandDefault({ input }: KmsCall): void {
  const name = input.optionalText('PolicyName', { min: 1, max: 128, pattern: /^\w+$/ }) ?? NAME
  if (name !== NAME) throw new Refusal('notFound', 'No such policy exists')
}
