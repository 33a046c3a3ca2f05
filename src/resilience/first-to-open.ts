import { KmsError, typedError } from '../errors.ts'
import {
  discard,
  type KmsCallOptions,
  type KmsSignalOptions,
  type UnwrappedDataKey,
} from '../kms/index.ts'
import type { FailoverEvent } from '../ports/index.ts'
import { notify } from '../runtime/index.ts'
import { callWithin, nextOf, type Ports, race } from './service.ts'

/** One KEK that could open the data key. */
export interface Opener {
  readonly provider: string
  readonly open: (options: KmsCallOptions) => Promise<UnwrappedDataKey>
  /** Hears the outcome; `wasCut` if the call was no longer needed, or the caller gave up. */
  readonly landed: (error: unknown, wasCut: boolean) => void
}

/** How the openers are asked. */
export interface OpeningPlan {
  readonly ports: Ports
  /** Ask the next one after so long without an answer; `undefined`: only after a failure. */
  readonly hedgeAfterMs: number | undefined
  /** Pays for a hedge; `false`: not now. */
  readonly payHedge: () => boolean
}

type Landing =
  | { readonly opener: Opener; readonly value: UnwrappedDataKey }
  | { readonly opener: Opener; readonly error: unknown }

/**
 * Returns the first DEK that one of the openers gives, asked in their order: the next one after a
 * failure, or, with a hedge, when this one is slow. Each gets its share of the time that is left. Calls
 * that are still under way then are aborted, and what they bring is wiped.
 *
 * @throws the worst failure; the signal's reason
 */
export function firstToOpen(
  openers: readonly Opener[],
  options: KmsCallOptions,
  plan: OpeningPlan,
): Promise<UnwrappedDataKey> {
  const reason = (): Error => new DOMException('another KEK has answered', 'AbortError')
  return race(options.signal, reason, async (signal) => {
    const running = new Map<Opener, Promise<Landing>>()
    const waiting = [...openers]
    let { hedgeAfterMs } = plan
    let failure = new KmsError('ERR_ENVELOPE_UNKNOWN_KEY')

    const ask = (why?: FailoverEvent['why']): void => {
      const opener = waiting.shift()
      if (opener === undefined) return
      const { provider } = opener
      const operation = 'unwrapDataKey'
      if (why) notify(plan.ports.observer, { type: 'failover', provider, operation, why })
      const timeoutMs = shareOf(options, waiting.length, plan.ports)
      const bound = { timeoutMs, provider, operation } as const
      running.set(opener, land(opener, bound, { ...options, signal }, plan.ports))
    }

    try {
      ask()
      while (running.size > 0) {
        const patienceMs = waiting.length > 0 ? hedgeAfterMs : undefined
        const landing = await nextOf(running.values(), patienceMs, plan.ports)
        if (landing === undefined) {
          if (plan.payHedge()) ask('slow')
          else hedgeAfterMs = undefined
          continue
        }
        running.delete(landing.opener)
        if ('value' in landing) return landing.value
        failure = worse(failure, typedError(landing.error, 'ERR_KMS_UNAVAILABLE', options.signal))
        ask('failed')
      }
      throw failure
    } finally {
      for (const late of running.values())
        void late.then((landing) => {
          if ('value' in landing) discard(landing.value)
        })
    }
  })
}

/** Makes one call; never rejects. */
async function land(
  opener: Opener,
  bound: Parameters<typeof callWithin>[1],
  options: KmsCallOptions,
  ports: Ports,
): Promise<Landing> {
  try {
    const value = await callWithin(ports, bound, options, opener.open)
    opener.landed(undefined, false)
    return { opener, value }
  } catch (error) {
    opener.landed(error, options.signal?.aborted === true)
    return { opener, error }
  }
}

/** Without a deadline, a KMS that never answers would keep the others from being asked. */
const UNBOUNDED_MS = 30_000

/** Returns the time that is left, shared among this opener and those after it; the last takes the rest. */
export function shareOf(
  { deadlineMs }: KmsSignalOptions,
  after: number,
  { runtime }: Ports,
): number | undefined {
  if (deadlineMs === undefined) return UNBOUNDED_MS
  if (after === 0) return undefined
  return Math.max(1, Math.floor((deadlineMs - runtime.now()) / (after + 1)))
}

/** Returns the error that counts: a message that may open later is not a bad message. */
export function worse(held: KmsError, next: KmsError): KmsError {
  if (held.code === 'ERR_ENVELOPE_UNKNOWN_KEY') return next
  if (held.retryable) return held
  return next.retryable || held.code === 'ERR_DECRYPT_FAILED' ? next : held
}
