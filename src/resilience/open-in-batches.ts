import { KmsError, type Outcome, typedError } from '../errors.ts'
import {
  discard,
  type EncryptionContext,
  type KmsSignalOptions,
  outcomesOf,
  type UnwrappedDataKey,
  type UnwrapRequest,
  type WrappedKey,
} from '../kms/index.ts'
import type { FailoverEvent } from '../ports/index.ts'
import { notify } from '../runtime/index.ts'
import { shareOf, worse } from './first-to-open.ts'
import { batchError, callWithin, type Ports } from './service.ts'

type Opened = Outcome<UnwrappedDataKey>

/** One KEK that may open items of a batch. */
export interface BatchOpener {
  readonly provider: string
  /** Returns those of an item's wraps that are under this KEK. */
  readonly ours: (wraps: readonly WrappedKey[], context: EncryptionContext) => readonly WrappedKey[]
  readonly open: (
    items: readonly UnwrapRequest[],
    options: KmsSignalOptions,
  ) => Promise<readonly Opened[]>
  /** Hears the outcome of a batch, as of one call. */
  readonly landed: (error?: unknown) => void
}

/** An opener, and the part of an item that it is asked for. */
interface Candidate {
  readonly opener: BatchOpener
  readonly request: UnwrapRequest
}

/**
 * Returns one outcome for each item, in order; each item is opened by the first of its openers that can.
 * Every opener gets its items in one batch, and the items that it could not open go on to the next one,
 * again in one batch. A batch that fails as a whole has failed for each of its items.
 *
 * @throws the signal's reason; what was opened by then is wiped
 */
export async function openInBatches(
  items: readonly UnwrapRequest[],
  openers: readonly BatchOpener[],
  options: KmsSignalOptions,
  ports: Ports,
): Promise<readonly Opened[]> {
  options.signal?.throwIfAborted()
  const outcomes = items.map((): Opened => failed(new KmsError('ERR_ENVELOPE_UNKNOWN_KEY')))
  const waiting = items.map(({ wraps, context }): Candidate[] =>
    openers.flatMap((opener) => {
      const ours = opener.ours(wraps, context)
      return ours.length === 0 ? [] : [{ opener, request: { wraps: ours, context } }]
    }),
  )

  const ask = async (
    opener: BatchOpener,
    asked: readonly number[],
    why: FailoverEvent['why'] | undefined,
  ): Promise<void> => {
    const { provider } = opener
    const operation = 'unwrapMany'
    if (why) notify(ports.observer, { type: 'failover', provider, operation, why })
    const requests = asked.map((i) => (waiting[i]?.shift() as Candidate).request)
    const after = Math.max(...asked.map((i) => waiting[i]?.length ?? 0))
    const timeoutMs = shareOf(options, after, ports)
    const bound = { timeoutMs, provider, operation } as const
    const answers = await answersOf(opener, requests.length, options, () =>
      callWithin(ports, bound, options, (given) => opener.open(requests, given)),
    )
    const left = asked.filter((i, n) => {
      const answer = answers[n] as Opened
      const held = outcomes[i] as Opened
      outcomes[i] = answer.ok || held.ok ? answer : failed(worse(held.error, answer.error))
      return !answer.ok
    })
    await askNext(left, 'failed')
  }

  const askNext = async (at: readonly number[], why?: FailoverEvent['why']): Promise<void> => {
    const groups = new Map<BatchOpener, number[]>()
    for (const i of at) {
      const opener = waiting[i]?.[0]?.opener
      if (opener !== undefined) groups.set(opener, [...(groups.get(opener) ?? []), i])
    }
    const work = [...groups].map(([opener, asked]) => ask(opener, asked, why))
    // All of them: what lands after the first rejection is to be wiped as well.
    for (const landing of await Promise.allSettled(work))
      if (landing.status === 'rejected') throw landing.reason
  }

  try {
    await askNext([...items.keys()])
    return outcomes
  } catch (error) {
    discard(outcomes)
    throw error
  }
}

/** Returns one outcome for each item, however many the service answers. */
async function answersOf(
  opener: BatchOpener,
  length: number,
  { signal }: KmsSignalOptions,
  call: () => Promise<readonly Opened[]>,
): Promise<readonly Opened[]> {
  try {
    const answers = outcomesOf(await call(), length)
    opener.landed(batchError(answers))
    return answers
  } catch (error) {
    opener.landed(error)
    const failure = failed(typedError(error, 'ERR_KMS_UNAVAILABLE', signal))
    return Array.from({ length }, () => failure)
  }
}

function failed(error: KmsError): Opened {
  return { ok: false, error }
}
