import {
  InterceptedKms,
  type KeyManagementService,
  type KmsCall,
  type KmsSignalOptions,
  type NextCall,
} from '../kms/index.ts'
import type { KmsOperation } from '../ports/index.ts'

/** Facts that decide how many requests a call on a data key costs. */
export interface CallCosts {
  /** KEKs that wrap each data key. */
  readonly keks: number
  readonly rewrapsInside: boolean
}

/** Returns the costs of a service: what {@link requestsOf} needs to know. */
export function costsOf({ capabilities }: KeyManagementService): CallCosts {
  return { keks: capabilities.wraps ?? 1, rewrapsInside: capabilities.rewrapsInside }
}

/** Returns how many requests to a vendor one call costs, without retries and failover. */
export function requestsOf(operation: KmsOperation, { keks, rewrapsInside }: CallCosts): number {
  if (operation === 'unwrapDataKey') return 1
  if (operation === 'wrapDataKey') return keks
  if (operation === 'rewrapDataKey') return rewrapsInside ? keks : 1 + keks
  return 0
}

/** Returns how many requests the rewrap of one data key costs: what `EnvelopeCipher.rewrap` makes of it. */
export function requestsOfRewrap(verify: 'open' | 'kms', costs: CallCosts): number {
  const { keks, rewrapsInside } = costs
  if (verify === 'kms') return requestsOf('rewrapDataKey', costs)
  return (rewrapsInside ? keks : 1 + keks) + keks // the last: each new wrap is opened
}

/** Counts the requests of the calls on data keys. */
export class MeteredKms extends InterceptedKms {
  requests = 0
  readonly #costs: CallCosts

  constructor(kms: KeyManagementService) {
    super(kms)
    this.#costs = costsOf(kms)
  }

  protected override around<T, O extends KmsSignalOptions>(
    { operation, options }: KmsCall<T, O>,
    next: NextCall<T, O>,
  ): Promise<T> {
    this.requests += requestsOf(operation, this.#costs)
    return next(options)
  }
}
