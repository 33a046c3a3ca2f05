import { sharedDataKeys } from '../../src/data-keys/shared/index.ts'
import {
  type KeyManagementService,
  type KeyValueStore,
  resilienceValues,
  type StackPlan,
} from '../../src/index.ts'

/** The name of the store's partition, and the key that authenticates its values. */
export interface DefaultStoreOptions {
  readonly partition: string
  /** Base64 of 32 random bytes or more. */
  readonly storeAuthKey?: string | undefined
}

/**
 * Returns a plan whose isolates share circuits and data keys in a store, as far as the plan says nothing of
 * either and its KMSs can share them: circuits need a name for each KMS, and data keys of a KMS that does not
 * authenticate the context need `storeAuthKey`. Without that key the store is trusted: only this Worker has it.
 */
export function withDefaultStore(
  plan: StackPlan,
  store: KeyValueStore,
  options: DefaultStoreOptions,
): StackPlan {
  const members = membersOf(plan)
  const circuitStore = plan.circuitStore ?? (sharesCircuits(plan, members) ? store : undefined)
  const shared =
    plan.shared ?? (sharesKeys(members, options) ? sharedIn(store, options) : undefined)
  return { ...plan, circuitStore, shared }
}

function sharedIn(
  store: KeyValueStore,
  { partition, storeAuthKey }: DefaultStoreOptions,
): NonNullable<StackPlan['shared']> {
  const trust = storeAuthKey === undefined ? { trustedStore: true } : { storeAuthKey }
  return sharedDataKeys({ store, partition, ...trust })
}

function membersOf({ kms }: StackPlan): readonly KeyManagementService[] {
  return Array.isArray(kms)
    ? (kms as readonly KeyManagementService[])
    : [kms as KeyManagementService]
}

function sharesCircuits(
  { resilience = {} }: StackPlan,
  members: readonly KeyManagementService[],
): boolean {
  const { circuitBreaker, scopes } = resilienceValues(resilience)
  if (circuitBreaker === false || (circuitBreaker.successThreshold ?? 1) > 1) return false
  const names = scopes ?? members.map(({ providerName }) => providerName)
  return new Set(names).size === members.length
}

function sharesKeys(
  members: readonly KeyManagementService[],
  { storeAuthKey }: DefaultStoreOptions,
): boolean {
  const unwraps = members.some(({ capabilities }) => capabilities.usage !== 'encrypt')
  const binds = members.every(({ capabilities }) => capabilities.bindsContext)
  return unwraps && (binds || storeAuthKey !== undefined)
}
