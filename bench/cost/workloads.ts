/** The forms of use: isolates, tenants and lifetimes decide the number of KMS calls. */
export interface Workload {
  readonly name: string
  /** Isolates that are alive at the same time. */
  readonly isolates: number
  readonly tenants: number
  /** After so many operations an isolate ends, and a cold one takes its place. */
  readonly lifeOperations: number
  /** Whether isolates share data keys by a strong store. */
  readonly isShared: boolean
}

/** Operations of all isolates in a second. */
export const PER_SECOND = 100

const forever = Infinity
const alone: Workload = {
  name: '1 tenant, 1 server',
  isolates: 1,
  tenants: 1,
  lifeOperations: forever,
  isShared: false,
}
const fleet = { ...alone, name: '100 tenants, 10 servers', isolates: 10, tenants: 100 }
const cold = {
  ...alone,
  name: '10 tenants, each isolate ends after 100 operations',
  isolates: 10,
  tenants: 10,
  lifeOperations: 100,
}
const shared = (one: Workload): Workload => ({
  ...one,
  name: `${one.name}, shared level`,
  isShared: true,
})

export const WORKLOADS: readonly Workload[] = [alone, fleet, shared(fleet), cold, shared(cold)]
