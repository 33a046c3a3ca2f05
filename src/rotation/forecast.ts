import type { Bytes } from '../bytes/index.ts'
import { recognizes } from '../kms/index.ts'
import type { HeaderRewrapper } from './header-rewraps.ts'
import type { StaleTask } from './judge.ts'
import { costsOf, requestsOfRewrap } from './metered-kms.ts'
import type { StepSettings } from './step-options.ts'
import { quotaOf } from './vendor-terms.ts'

/** Counts what rewraps would cost, and makes none. */
export class Forecast implements HeaderRewrapper<StaleTask> {
  requests = 0
  dataKeys = 0
  readonly byProvider: Map<string, number> = new Map()
  quota: number = Infinity
  readonly #settings: StepSettings

  constructor(settings: StepSettings) {
    this.#settings = settings
  }

  /** Returns the header as it is: nobody writes it. */
  rewrap(task: StaleTask): Promise<Bytes> {
    this.note(task)
    return Promise.resolve(task.header.bytes)
  }

  note({ header, context, current }: StaleTask): number {
    const { kms, verify } = this.#settings
    const { rewrapsInside } = costsOf(kms)
    const total = requestsOfRewrap(verify, { keks: current.length, rewrapsInside })
    this.requests += total
    this.dataKeys += 1
    this.quota = Math.min(this.quota, quotaOf(current))
    // Each current KEK has as many requests; what is left over opens an old wrap.
    const each = Math.floor(total / Math.max(1, current.length))
    for (const { provider } of current) this.#add(provider, each)
    const opened = header.wraps.find((wrap) => recognizes(kms, wrap, context))
    if (opened !== undefined) this.#add(opened.provider, total - each * current.length)
    return total
  }

  /** Adds the counts of another forecast, except the requests: those are in the counts of its page. */
  add(other: Forecast): void {
    this.dataKeys += other.dataKeys
    this.quota = Math.min(this.quota, other.quota)
    for (const [provider, requests] of other.byProvider) this.#add(provider, requests)
  }

  #add(provider: string, requests: number): void {
    this.byProvider.set(provider, (this.byProvider.get(provider) ?? 0) + requests)
  }
}
