import { KmsError, typedError } from '../errors.ts'
import {
  discard,
  type KmsCallOptions,
  type KmsSignalOptions,
  type UnwrappedDataKey,
} from '../kms/index.ts'
import type { FailoverEvent } from '../ports/index.ts'
import { notify, sleep } from '../runtime/index.ts'
import { boundedCall } from './bounded-call.ts'
import type { Ports } from './service.ts'

/** One KEK that could open the data key. */
export interface Opener {
  readonly provider: string
  readonly open: (options: KmsCallOptions) => Promise<UnwrappedDataKey>
  /** Hears what came of it, also of a call that was cut. */
  readonly landed: (error?: unknown) => void
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
  { readonly value: UnwrappedDataKey } | { readonly error: unknown } | { readonly isSlow: true }

/**
 * The first DEK that one of the openers gives, asked in their order: the next one after a failure,
 * or, with a hedge, when this one is slow. Each gets its share of the time that is left. Whoever is
 * still on the way then is aborted, and what it brings is wiped.
 *
 * @throws the worst failure; the signal's reason
 */
export async function firstToOpen(
  openers: readonly Opener[],
  options: KmsCallOptions,
  plan: OpeningPlan,
): Promise<UnwrappedDataKey> {
  const race = new AbortController()
  const stop = (): void => {
    race.abort(options.signal?.reason)
  }
  options.signal?.throwIfAborted()
  options.signal?.addEventListener('abort', stop, { once: true })
  const running = new Map<Opener, Promise<readonly [Opener, Landing]>>()
  const waiting = [...openers]
  let failure = new KmsError('ERR_ENVELOPE_UNKNOWN_KEY')

  const ask = (why?: FailoverEvent['why']): void => {
    const opener = waiting.shift()
    if (opener === undefined) return
    const { provider } = opener
    const operation = 'unwrapDataKey'
    if (why) notify(plan.ports.observer, { type: 'failover', provider, operation, why })
    const timeoutMs = shareOf(options, waiting.length, plan.ports)
    const given = { ...options, signal: race.signal }
    const work = boundedCall(plan.ports, { timeoutMs, provider, operation }, given, opener.open)
    running.set(
      opener,
      work.then(
        (value) => {
          opener.landed()
          return [opener, { value }] as const
        },
        (error: unknown) => {
          opener.landed(error)
          return [opener, { error }] as const
        },
      ),
    )
  }

  try {
    ask()
    while (running.size > 0) {
      const [opener, landing] = await nextLanding(running, waiting.length > 0, plan)
      if ('value' in landing) {
        running.delete(opener as Opener)
        return landing.value
      }
      if ('isSlow' in landing) {
        if (plan.payHedge()) ask('slow')
        else plan = { ...plan, hedgeAfterMs: undefined }
        continue
      }
      running.delete(opener as Opener)
      failure = worse(failure, typedError(landing.error, 'ERR_KMS_UNAVAILABLE', options.signal))
      ask('failed')
    }
    throw failure
  } finally {
    options.signal?.removeEventListener('abort', stop)
    race.abort(new DOMException('another KEK has answered', 'AbortError'))
    for (const late of running.values()) {
      void late.then(([, landing]) => {
        if ('value' in landing) discard(landing.value)
      })
    }
  }
}

async function nextLanding(
  running: ReadonlyMap<Opener, Promise<readonly [Opener, Landing]>>,
  hasNext: boolean,
  { hedgeAfterMs, ports }: OpeningPlan,
): Promise<readonly [Opener | undefined, Landing]> {
  if (!hasNext || hedgeAfterMs === undefined) return Promise.race(running.values())
  const over = new AbortController()
  const slow = sleep(ports.network, hedgeAfterMs, over.signal).then(
    () => [undefined, { isSlow: true }] as const,
  )
  slow.catch(() => undefined)
  try {
    return await Promise.race([...running.values(), slow])
  } finally {
    over.abort()
  }
}

/** The time that is left, shared among this opener and those after it; the last takes what there is. */
export function shareOf(
  { deadlineMs }: KmsSignalOptions,
  after: number,
  { runtime }: Ports,
): number | undefined {
  if (deadlineMs === undefined || after === 0) return undefined
  return Math.max(1, Math.floor((deadlineMs - runtime.now()) / (after + 1)))
}

/** What can pass counts over what cannot: a message that may open later is not a bad message. */
export function worse(held: KmsError, next: KmsError): KmsError {
  if (held.code === 'ERR_ENVELOPE_UNKNOWN_KEY') return next
  if (held.retryable) return held
  return next.retryable || held.code === 'ERR_DECRYPT_FAILED' ? next : held
}
