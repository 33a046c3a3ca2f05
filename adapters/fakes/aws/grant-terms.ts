import { Refusal } from './errors.ts'
import {
  type Context,
  GRANT_OPERATIONS,
  grantableOn,
  type GrantConstraints,
  type GrantTerms,
} from './grant-rules.ts'
import type { StoredKey } from './key-store.ts'
import type { KmsInput, TextRules } from './kms-input.ts'

/** Rules for a grant's id. */
export const GRANT_ID: TextRules = { min: 1, max: 128 }

/** Rules for a principal. */
export const PRINCIPAL: TextRules = { min: 1, max: 256, pattern: /^[\w+=,.@:/-]+$/ }

/** Accounts, users, roles, federated users and role sessions: IAM User Guide, IAM ARNs. */
const PRINCIPAL_ARN =
  /^arn:aws[a-z-]*:(?:iam::\d{12}:(?:root|user\/.+|role\/.+)|sts::\d{12}:(?:assumed-role\/[^/]+\/[^/]+|federated-user\/.+))$/

/** API_CreateGrant, Constraints: pairs in each, and characters of a value. */
const MAX_PAIRS = 8
const MAX_VALUE = 384

/**
 * Returns the terms that CreateGrant asks for.
 *
 * @throws Refusal `validation`, `invalidArn` for a principal that is not an ARN of one
 */
export function grantTermsOf(input: KmsInput): GrantTerms {
  const grantee = input.text('GranteePrincipal', PRINCIPAL)
  const retiring = input.optionalText('RetiringPrincipal', PRINCIPAL)
  const operations = input.texts('Operations', { required: true, values: GRANT_OPERATIONS })
  const name = input.optionalText('Name', { min: 1, max: 256, pattern: /^[a-zA-Z0-9:/_-]+$/ })
  const constraints = constraintsOf(input.structure('Constraints'))
  if (operations.length === 0) throw new Refusal('validation', 'A grant needs an operation.')
  demandPrincipal(grantee)
  if (retiring !== undefined) demandPrincipal(retiring)
  return {
    grantee,
    operations,
    constraints,
    ...(retiring !== undefined && { retiring }),
    ...(name !== undefined && { name }),
  }
}

/** @throws Refusal `invalidArn`. Whether there is such a principal is not judged. */
export function demandPrincipal(arn: string): void {
  if (PRINCIPAL_ARN.test(arn)) return
  throw new Refusal('invalidArn', 'ARN does not refer to a valid principal')
}

/**
 * Refuses terms that mean nothing on this key.
 *
 * @throws Refusal `validation`
 */
export function demandGrantable(key: StoredKey, { operations, constraints }: GrantTerms): void {
  const possible = grantableOn(key)
  if (!operations.every((operation) => possible.includes(operation))) {
    throw new Refusal('validation', `${key.arn} does not support all operations of the grant.`)
  }
  if (Object.keys(constraints).length > 0 && key.spec !== 'SYMMETRIC_DEFAULT') {
    throw new Refusal('validation', `${key.arn} does not support an encryption context.`)
  }
}

function constraintsOf(input: KmsInput | undefined): GrantConstraints {
  const subset = pairsOf(input, 'EncryptionContextSubset')
  const equals = pairsOf(input, 'EncryptionContextEquals')
  return { ...(subset && { subset }), ...(equals && { equals }) }
}

function pairsOf(input: KmsInput | undefined, name: string): Context | undefined {
  if (input?.structure(name) === undefined) return undefined
  const pairs = input.context(name)
  const values = Object.values(pairs)
  if (values.length > MAX_PAIRS || values.some(({ length }) => length > MAX_VALUE)) {
    throw new Refusal('validation', `${name} has too many pairs, or a value that is too long.`)
  }
  return pairs
}
