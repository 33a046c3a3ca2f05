import type { KeyManagementService } from '../kms/index.ts'
import type { Observer } from '../ports/index.ts'
import { type AuditLayer, composeKms, type ComposeKmsOptions } from '../resilience/index.ts'

/** The layer outside all customers counts the operations: once each. */
function withoutOperations(observer: Observer | undefined): Observer | undefined {
  if (observer === undefined) return undefined
  return {
    observe(event) {
      if (event.type !== 'call' || event.layer !== 'operation') observer.observe(event)
    },
  }
}

/** The layer outside all customers records every call. */
const RECORDED_OUTSIDE: AuditLayer = { mode: 'closed', around: (kms) => kms }

/**
 * Returns what puts a stack around the KMS of one customer: with a circuit, a bulkhead and retries of its own.
 *
 * @param options - of the whole stack; what is about several KEKs stays outside
 */
export function forCustomer(
  options: ComposeKmsOptions,
): (kms: KeyManagementService, keyName: string) => KeyManagementService {
  const { writePolicy: _policy, order: _order, hedge: _hedge, repairs: _repairs, ...rest } = options
  const own = { ...rest, observer: withoutOperations(rest.observer) }
  // Circuits are shared by name: that of the key, so that each customer has one.
  return (kms, keyName) => {
    const shared = own.circuitStore === undefined ? undefined : { scopes: [keyName] }
    return composeKms(kms, { ...own, scopes: undefined, ...shared, audit: RECORDED_OUTSIDE })
  }
}

/** Returns the options of the stack outside, which has no circuit where each customer has one. */
export function outsideOf(
  members: readonly KeyManagementService[],
  options: ComposeKmsOptions,
): ComposeKmsOptions {
  if (!members.every(({ capabilities }) => capabilities.keksByContext)) return options
  const { retry: _retry, circuitBreaker: _breaker, bulkhead: _bulkhead, ...rest } = options
  const { attemptTimeoutMs: _timeout, circuitStore: _store, ...outside } = rest
  return outside
}
