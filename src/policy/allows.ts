import { isPlain } from '../checks/index.ts'
import { KmsError } from '../errors.ts'
import type { ContextInput, EncryptionContext } from '../kms/index.ts'
import { matches } from './context-pattern.ts'
import { type Policy, POLICY_OPERATIONS, type PolicyOperation } from './policy.ts'

/** One request for permission. */
export interface PolicyRequest {
  readonly operation: PolicyOperation
  /** The name of the cipher. */
  readonly key: string
  /** The context of the call; absent is the empty one. Not checked for `inspect`, which takes none. */
  readonly context?: ContextInput | undefined
}

/** The part of a policy that refused a request. */
export type PolicyRule = 'policy' | 'operation' | 'key' | 'context'

/** The answer of {@link allows}. A reason never has a context value. */
export type PolicyDecision =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly rule: PolicyRule; readonly reason: string }

const ALLOWED: PolicyDecision = { allowed: true }

/**
 * Returns whether a policy allows a request, and if not, the rule that is missing. Without a policy nothing
 * is allowed.
 *
 * The context of the request must have exactly the keys of the policy, and each value must match its
 * pattern: a context key that is absent, or that the policy does not mention, is refused.
 */
export function allows(policy: Policy | undefined, request: PolicyRequest): PolicyDecision {
  const decision = allowsKey(policy, request)
  if (!decision.allowed || policy === undefined || request.operation === 'inspect') return decision
  return contextAllowed(policy, (request.context ?? {}) as EncryptionContext)
}

/**
 * Refuses what a policy does not allow.
 *
 * @throws KmsError `ERR_KMS_ACCESS_DENIED`
 */
export function demandAllowed(policy: Policy | undefined, request: PolicyRequest): void {
  demand(allows(policy, request), request)
}

/**
 * Refuses an operation or a key that a policy does not allow under any context: of a batch, whose items have a
 * context each. Check each item with {@link demandAllowed}.
 *
 * @throws KmsError `ERR_KMS_ACCESS_DENIED`
 */
export function demandKeyAllowed(policy: Policy | undefined, request: PolicyRequest): void {
  demand(allowsKey(policy, request), request)
}

function allowsKey(policy: Policy | undefined, { operation, key }: PolicyRequest): PolicyDecision {
  if (policy === undefined)
    return refused('policy', 'the binding has no policy, so nothing is allowed')
  if (!policy.operations.has(operation)) {
    const name = isKnown(operation) ? operation : 'this unknown operation'
    return refused('operation', `the policy does not allow ${name}: see \`operations\``)
  }
  if (policy.keys.has(key)) return ALLOWED
  return refused('key', 'the policy does not allow the key that the call names: see `keys`')
}

/** Names of operations may come from an untyped caller: only known ones are shown. */
function isKnown(operation: PolicyOperation): boolean {
  return POLICY_OPERATIONS.includes(operation)
}

function demand(decision: PolicyDecision, { operation }: PolicyRequest): void {
  if (decision.allowed) return
  const facts = { provider: 'policy', ...(isKnown(operation) && { operation }) }
  throw new KmsError('ERR_KMS_ACCESS_DENIED', { ...facts, message: decision.reason })
}

function contextAllowed({ context: patterns }: Policy, context: EncryptionContext): PolicyDecision {
  // A Map or Headers has no own keys, and would pass for the empty context.
  if (!isPlain(context)) return refused('context', 'the context must be a plain object')
  for (const key of Object.keys(context)) {
    if (!patterns.has(key)) {
      return refused('context', `the policy does not mention the context key ${shown(key)}`)
    }
  }
  for (const [key, pattern] of patterns) {
    if (!Object.hasOwn(context, key)) {
      return refused('context', `the policy requires the context key ${shown(key)}`)
    }
    const value: unknown = context[key]
    if (typeof value !== 'string' || !matches(pattern, value)) {
      return refused(
        'context',
        `the policy does not allow this value of the context key ${shown(key)}`,
      )
    }
  }
  return ALLOWED
}

function shown(key: string): string {
  return JSON.stringify(key.slice(0, 64))
}

function refused(rule: PolicyRule, reason: string): PolicyDecision {
  return { allowed: false, rule, reason }
}
