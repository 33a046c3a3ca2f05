import { KmsError, typedError } from '../errors.ts'
import {
  DATA_KEY_CONTEXT_KEY,
  type GeneratedDataKey,
  type KeyManagementService,
  type KmsCallOptions,
  type SecretBytes,
  type WrappedKey,
} from '../kms/index.ts'
import type { KmsOperation } from '../ports/index.ts'
import { notify, sleep, untilAborted } from '../runtime/index.ts'
import { boundedCall } from './bounded-call.ts'
import type { MultiSettings } from './multi-options.ts'

type Landing = { readonly wraps: readonly WrappedKey[] } | { readonly error: unknown }

/** A DEK from the first KEK that can make one, and which of the list that was. */
export interface FirstKey extends GeneratedDataKey {
  readonly maker: KeyManagementService
  /** Those that could not, and need not be asked again. */
  readonly down: readonly KeyManagementService[]
}

/**
 * The first KEK that makes a DEK. Another one is asked only as far as the policy can spare this one,
 * and only if it is out of order: a key that is forbidden or gone is a mistake to mend, not to live with.
 */
export async function firstToGenerate(
  { write, quorum, ports }: MultiSettings,
  options: KmsCallOptions,
): Promise<FirstKey> {
  const down: KeyManagementService[] = []
  for (const maker of write) {
    const canSpare = down.length < write.length - quorum
    const bound = {
      timeoutMs: canSpare ? halfOf(options, ports.runtime.now()) : undefined,
      provider: maker.providerName,
      operation: 'generateDataKey',
    } as const
    try {
      const made = await boundedCall(ports, bound, options, (given) => maker.generateDataKey(given))
      return { ...made, maker, down }
    } catch (error) {
      const failure = typedError(error, 'ERR_KMS_UNAVAILABLE', options.signal)
      if (!failure.retryable || !canSpare) throw failure
      down.push(maker)
      const { operation, provider } = bound
      notify(ports.observer, { type: 'failover', provider, operation, why: 'failed' })
    }
  }
  throw new KmsError('ERR_KMS_UNSUPPORTED', { message: 'no KMS to write to is configured' })
}

/**
 * Wraps of one DEK under several KEKs, in their order; `undefined` for one that did not make it.
 * Ends when all have answered, or when enough have and the others had their time of grace.
 *
 * @param need - how many must succeed
 * @throws the first failure that the policy cannot bear
 */
export async function wrapUnderEnough(
  { graceMs, ports }: MultiSettings,
  members: readonly KeyManagementService[],
  need: number,
  plaintext: SecretBytes,
  options: KmsCallOptions,
): Promise<readonly (readonly WrappedKey[] | undefined)[]> {
  const race = new AbortController()
  const stop = (): void => {
    race.abort(options.signal?.reason)
  }
  options.signal?.addEventListener('abort', stop, { once: true })
  const wraps = new Array<readonly WrappedKey[] | undefined>(members.length).fill(undefined)
  let spare = members.length - need
  let open = need
  const running = new Map(
    members.map((kms, i) => [i, land(kms, plaintext, { ...options, signal: race.signal })]),
  )
  const grace = new AbortController()
  let over: Promise<undefined> | undefined
  try {
    while (running.size > 0) {
      if (open <= 0) over ??= sleep(ports.network, graceMs, grace.signal).then(() => undefined)
      const landings = [...running].map(([i, landing]) =>
        landing.then((landed) => [i, landed] as const),
      )
      const next = await untilAborted(
        Promise.race(over === undefined ? landings : [...landings, over]),
        options.signal,
      )
      if (next === undefined) break
      const [i, landed] = next
      running.delete(i)
      if ('wraps' in landed) {
        wraps[i] = landed.wraps
        open--
        continue
      }
      const failure = typedError(landed.error, 'ERR_KMS_UNAVAILABLE', options.signal)
      if (!failure.retryable || spare-- <= 0) throw failure
    }
    return wraps
  } finally {
    options.signal?.removeEventListener('abort', stop)
    over?.catch(() => undefined)
    grace.abort()
    race.abort(new DOMException('enough KEKs have answered', 'AbortError'))
  }
}

/**
 * Notes the wraps that are missing. Without the note nobody would add them, so a log that is down
 * fails the write.
 *
 * @throws KmsError `ERR_STORE_UNAVAILABLE`
 */
export async function noteMissing(
  { repairs, ports }: MultiSettings,
  missing: readonly KeyManagementService[],
  operation: KmsOperation,
  options: KmsCallOptions,
): Promise<void> {
  if (missing.length === 0) return
  const providers = missing.map(({ providerName }) => providerName)
  const dataKey = options.context[DATA_KEY_CONTEXT_KEY] ?? ''
  const note = async (): Promise<void> =>
    repairs?.note({ dataKey, providers, atMs: ports.runtime.now() }, options)
  try {
    await untilAborted(note(), options.signal)
  } catch (error) {
    throw typedError(error, 'ERR_STORE_UNAVAILABLE', options.signal)
  }
  for (const provider of providers)
    notify(ports.observer, { type: 'missing-wrap', provider, operation })
}

/** A member whose wraps are not under its own keys must not be hidden by the others. */
export function demandOwn(kms: KeyManagementService, wraps: readonly WrappedKey[]): void {
  const { usage } = kms.capabilities
  if (wraps.length > 0 && (usage === 'encrypt' || wraps.every((wrap) => kms.canUnwrap(wrap))))
    return
  throw new KmsError('ERR_KMS_RESPONSE_INVALID', { provider: kms.providerName })
}

async function land(
  kms: KeyManagementService,
  plaintext: SecretBytes,
  options: KmsCallOptions,
): Promise<Landing> {
  try {
    const wraps = await kms.wrapDataKey(plaintext, options)
    demandOwn(kms, wraps)
    return { wraps }
  } catch (error) {
    return { error }
  }
}

/** The others need time, too. */
function halfOf({ deadlineMs }: KmsCallOptions, nowMs: number): number | undefined {
  return deadlineMs === undefined ? undefined : Math.max(1, Math.floor((deadlineMs - nowMs) / 2))
}
