import { isKmsError, type UnwrapRequest } from '../../../src/index.ts'
import type { KmsSignalOptions } from '../../../src/kms/index.ts'
import type { Random } from '../random.ts'
import type { Subject, Wrapped } from './judge.ts'
import type { CustomersWorld, Life } from './world.ts'

/** One call, and the customers that it is about. */
export interface CustomerCall extends Subject {
  run(life: Life, options: KmsSignalOptions): Promise<void>
}

/** A call that somebody makes now. */
export function callOf(world: CustomersWorld, random: Random, n: number): CustomerCall {
  const { wrapped } = world.judge
  const what = random.next()
  const customer = random.pick(world.plan.customers)
  if (what < 0.35 || wrapped.length === 0) return generation(world, customer, n)
  const from = random.pick(wrapped.slice(-60))
  if (what < 0.6) return unwrapping(world, from)
  if (what < 0.72) return swapping(world, from, customer)
  if (what < 0.88) {
    const items = Array.from({ length: random.int(2, 10) }, () => random.pick(wrapped))
    return batch(world, [...new Set(items)])
  }
  if (what < 0.94) return rewrapping(world, from)
  return managing(random, customer)
}

export function generation(world: CustomersWorld, customer: string, n: number): CustomerCall {
  const context = { customer, 'edge-kms:dk': `dk-${String(n)}` }
  return {
    ...{ kind: 'generateDataKey', customers: [customer] },
    async run({ kms }, options) {
      const { plaintext, wraps } = await kms.generateDataKey({ ...options, context })
      const dek = plaintext.expose().slice()
      world.judge.wrapped.push({ customer, wraps, context, dek })
    },
  }
}

export function unwrapping({ judge }: CustomersWorld, from: Wrapped): CustomerCall {
  const { context, wraps, customer } = from
  return {
    ...{ kind: 'unwrapDataKey', customers: [customer] },
    async run({ kms }, options) {
      const { plaintext } = await kms.unwrapDataKey(wraps, { ...options, context })
      judge.opened(plaintext.expose(), from)
    },
  }
}

/** The wrap of one customer under the context of another: no KMS may hear of it. */
function swapping(world: CustomersWorld, from: Wrapped, to: string): CustomerCall {
  const context = { ...from.context, customer: to }
  if (to === from.customer) return unwrapping(world, from)
  return {
    ...{ kind: 'swapped', customers: [] },
    async run({ kms }, options) {
      await kms.unwrapDataKey(from.wraps, { ...options, context })
      world.judge.blame('swapped', `a wrap of ${from.customer} opens for ${to}`)
    },
  }
}

function batch(world: CustomersWorld, items: readonly Wrapped[]): CustomerCall {
  const { judge, scheduler } = world
  return {
    ...{ kind: 'batch', customers: [...new Set(items.map(({ customer }) => customer))] },
    async run({ kms }, options) {
      const startedMs = scheduler.nowMs
      const tell = (codes: readonly (string | undefined)[]): void => {
        if (options.signal?.aborted) return
        judge.batched(scheduler.nowMs - startedMs, items, codes)
      }
      try {
        const outcomes = await kms.unwrapMany(items.map(withForeign), options)
        for (const [i, outcome] of outcomes.entries())
          if (outcome.ok) judge.opened(outcome.value.plaintext.expose(), items[i] as Wrapped)
        tell(outcomes.map((outcome) => (outcome.ok ? undefined : outcome.error.code)))
      } catch (error) {
        tell(items.map(() => codeOf(error)))
        throw error
      }
    },
  }
  /** Somebody has put the wrap of another customer before the right one. */
  function withForeign(item: Wrapped, i: number): UnwrapRequest {
    const { wraps, context, customer } = item
    const before = items[i - 1]
    const foreign = before === undefined || before.customer === customer ? [] : before.wraps
    return { wraps: [...foreign, ...wraps], context }
  }
}

function rewrapping(world: CustomersWorld, from: Wrapped): CustomerCall {
  const { context, customer } = from
  return {
    ...{ kind: 'rewrapDataKey', customers: [customer] },
    async run({ kms }, options) {
      const wraps = await kms.rewrapDataKey(from.wraps, { ...options, context })
      world.judge.wrapped.push({ ...from, wraps })
    },
  }
}

function managing(random: Random, customer: string): CustomerCall {
  const kind = random.pick(['currentVersion', 'healthCheck', 'forget'] as const)
  return {
    ...{ kind, customers: [customer] },
    async run({ kms }, options) {
      if (kind === 'forget') kms.forget(random.chance(0.5) ? customer : undefined)
      else if (kind === 'healthCheck') await kms.healthCheck(options)
      else await kms.currentVersion({ ...options, context: { customer } })
    },
  }
}

/** Returns the code of an error, for the trace. */
export function codeOf(error: unknown): string {
  return isKmsError(error) ? error.code : String(error)
}
