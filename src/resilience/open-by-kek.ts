import { isKmsError, KmsError, type Outcome, typedError } from '../errors.ts'
import {
  discard,
  type EncryptionContext,
  type KeyManagementService,
  type KmsSignalOptions,
  outcomesOf,
  recognizes,
  type UnwrappedDataKey,
  type UnwrapRequest,
} from '../kms/index.ts'
import { withTimeout } from '../runtime/index.ts'
import { callWithin, nextOf, type Ports } from './service.ts'

type Opened = Outcome<UnwrappedDataKey>

/** Finds the KEK of an item. */
export interface KekFinder {
  readonly nameOf: (context: EncryptionContext) => string | undefined
  readonly find: (keyName: string, options: KmsSignalOptions) => Promise<KeyManagementService>
}

/** How long the part of one KEK may take, in milliseconds: less than a cache waits for the whole batch. */
const PART_MS = 10_000
/** Parts that begin together, and how long one of them may hold the next one up, in milliseconds. */
const LANES = 32
const PATIENCE_MS = 100

/**
 * Opens a batch whose items have different KEKs: in order, one outcome for each. Each KEK gets its items as
 * one batch. A KEK that fails, or does not answer, fails its own items alone and holds no other up.
 *
 * @throws the signal's reason; what was opened by then is wiped
 */
export async function openByKek(
  items: readonly UnwrapRequest[],
  finder: KekFinder,
  options: KmsSignalOptions,
  ports: Ports,
): Promise<readonly Opened[]> {
  const { network } = ports
  const error = (): Error => new Error('no timeout is set')
  const work = (signal: AbortSignal): Promise<readonly Opened[]> =>
    openParts(items, finder, { ...options, signal }, ports)
  return withTimeout(
    work,
    { timeoutMs: undefined, signal: options.signal, network, error },
    discard,
  )
}

async function openParts(
  items: readonly UnwrapRequest[],
  { nameOf, find }: KekFinder,
  options: KmsSignalOptions,
  ports: Ports,
): Promise<readonly Opened[]> {
  const outcomes = items.map((): Opened => failed(new KmsError('ERR_ENVELOPE_UNKNOWN_KEY')))
  const parts = new Map<string, number[]>()
  for (const [i, { wraps, context }] of items.entries()) {
    try {
      const keyName = wraps.length === 0 ? undefined : nameOf(context)
      if (keyName === undefined) continue
      const part = parts.get(keyName)
      if (part === undefined) parts.set(keyName, [i])
      else part.push(i)
    } catch (thrown) {
      outcomes[i] = failed(typedError(thrown, 'ERR_KMS_CONFIG', undefined))
    }
  }
  const open = async (keyName: string, at: readonly number[]): Promise<void> => {
    const part = at.map((i) => items[i] as UnwrapRequest)
    const answers = await openPart(part, (given) => find(keyName, given), options, ports)
    for (const [n, i] of at.entries()) outcomes[i] = answers[n] as Opened
  }
  const calls: Promise<void>[] = []
  const queue = parts.entries()
  const lane = async (): Promise<void> => {
    for (const [keyName, at] of queue) {
      const call = open(keyName, at)
      calls.push(call)
      await nextOf([call], PATIENCE_MS, ports)
    }
  }
  await Promise.all(Array.from({ length: Math.min(LANES, parts.size) }, lane))
  await Promise.all(calls)
  return outcomes
}

/** Opens the items of one KEK. Never rejects: what fails is the outcome of its items. */
async function openPart(
  part: readonly UnwrapRequest[],
  find: (options: KmsSignalOptions) => Promise<KeyManagementService>,
  options: KmsSignalOptions,
  ports: Ports,
): Promise<readonly Opened[]> {
  const bound = {
    timeoutMs: partMs(options, ports),
    provider: 'by-context',
    operation: 'unwrapMany',
  } as const
  const opened = part.map((): Opened => failed(new KmsError('ERR_ENVELOPE_UNKNOWN_KEY')))
  try {
    return await callWithin(ports, bound, options, async (given) => {
      const kms = await find(given)
      const asked = part.flatMap(({ wraps, context }, i) => {
        const ours = wraps.filter((wrap) => recognizes(kms, wrap, context))
        return ours.length === 0 ? [] : [{ i, request: { wraps: ours, context } }]
      })
      if (asked.length === 0) return opened
      const requests = asked.map(({ request }) => request)
      const answers = outcomesOf(await kms.unwrapMany(requests, given), asked.length)
      for (const [n, { i }] of asked.entries()) opened[i] = answers[n] as Opened
      return opened
    })
  } catch (thrown) {
    const failure = isKmsError(thrown)
      ? thrown
      : new KmsError('ERR_KMS_UNAVAILABLE', { cause: thrown })
    return part.map(() => failed(failure))
  }
}

/** A part must end before the batch does, which would fail the items of all KEKs. */
function partMs({ deadlineMs }: KmsSignalOptions, { runtime }: Ports): number {
  if (deadlineMs === undefined) return PART_MS
  return Math.max(1, Math.min(PART_MS, Math.floor((deadlineMs - runtime.now()) * 0.9)))
}

function failed(error: KmsError): Opened {
  return { ok: false, error }
}
