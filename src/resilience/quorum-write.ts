import { KmsError, typedError } from '../errors.ts'
import {
  areWraps,
  checkAnswer,
  DATA_KEY_CONTEXT_KEY,
  discard,
  type GeneratedDataKey,
  isGenerated,
  type KeyManagementService,
  type KmsCallOptions,
  recognizes,
  type SecretBytes,
  type WrappedKey,
} from '../kms/index.ts'
import { notify, withTimeout } from '../runtime/index.ts'
import { shareOf } from './first-to-open.ts'
import type { MultiSettings } from './multi-options.ts'
import { callWithin, nextOf, race } from './service.ts'

/** A DEK from the first KEK that can make one. */
export interface FirstKey extends GeneratedDataKey {
  readonly maker: KeyManagementService
  /** Members that could not make one. They are not asked again. */
  readonly down: readonly KeyManagementService[]
}

/** Longest wait for the log of missing wraps. */
const NOTE_MS = 10_000

/**
 * Returns a DEK of the first KEK that makes one. It asks the next KEK only if the policy can spare this one, and only
 * after an outage: a denied or deleted key is a mistake that you must fix.
 *
 * @throws KmsError
 */
export async function firstToGenerate(
  { write, quorum, ports }: MultiSettings,
  options: KmsCallOptions,
): Promise<FirstKey> {
  const down: KeyManagementService[] = []
  for (const maker of write) {
    const canSpare = down.length < write.length - quorum
    const { providerName: provider } = maker
    const operation = 'generateDataKey'
    // The others need time, too.
    const bound = { timeoutMs: shareOf(options, canSpare ? 1 : 0, ports), provider, operation }
    try {
      const made = await callWithin(ports, { ...bound, operation }, options, async (given) =>
        checkAnswer(provider, await maker.generateDataKey(given), isGenerated),
      )
      if (isOwn(maker, made.wraps, options)) return { ...made, maker, down }
      discard(made)
      throw new KmsError('ERR_KMS_RESPONSE_INVALID', { provider })
    } catch (error) {
      const failure = typedError(error, 'ERR_KMS_UNAVAILABLE', options.signal)
      if (!failure.retryable || !canSpare) throw failure
      down.push(maker)
      notify(ports.observer, { type: 'failover', provider, operation, why: 'failed' })
    }
  }
  throw new KmsError('ERR_KMS_UNSUPPORTED', {
    message: 'no KMS in write: give one to encrypt or rewrap',
  })
}

type Landing =
  | { readonly i: number; readonly wraps: readonly WrappedKey[] }
  | { readonly i: number; readonly error: unknown }

/**
 * Returns wraps of one DEK under several KEKs, in their order; `undefined` for a KEK that failed. Ends when all have
 * answered, or when enough have and the grace period of the others is over.
 *
 * @param need - how many must succeed
 * @throws the first failure that the policy does not allow
 */
export function wrapUnderEnough(
  settings: MultiSettings,
  members: readonly KeyManagementService[],
  need: number,
  plaintext: SecretBytes,
  options: KmsCallOptions,
): Promise<readonly (readonly WrappedKey[] | undefined)[]> {
  const { graceMs, ports } = settings
  // Only the end of the grace says something about a KMS that has not answered.
  let reason: Error = new DOMException('the write has failed', 'AbortError')
  const wrapAll = async (signal: AbortSignal): Promise<(readonly WrappedKey[] | undefined)[]> => {
    const wraps = members.map((): readonly WrappedKey[] | undefined => undefined)
    // Tells the circuit of a KEK that is left behind how long it had.
    const patienceMs = need < members.length ? graceMs : undefined
    const given = { ...options, patienceMs, signal }
    const running = new Map(members.map((kms, i) => [i, land(settings, kms, i, plaintext, given)]))
    let spare = members.length - need
    let open = need
    let graceEndMs = Infinity
    while (running.size > 0) {
      const nowMs = ports.runtime.now()
      if (open <= 0) graceEndMs = Math.min(graceEndMs, nowMs + graceMs)
      const leftMs = graceEndMs === Infinity ? undefined : Math.max(0, graceEndMs - nowMs)
      const landing = await nextOf(running.values(), leftMs, ports)
      if (landing === undefined) {
        reason = new KmsError('ERR_KMS_TIMEOUT', { operation: 'wrapDataKey' })
        break
      }
      running.delete(landing.i)
      if ('wraps' in landing) {
        wraps[landing.i] = landing.wraps
        open--
        continue
      }
      const failure = typedError(landing.error, 'ERR_KMS_UNAVAILABLE', options.signal)
      if (!failure.retryable || spare-- <= 0) throw failure
    }
    return wraps
  }
  return race(options.signal, () => reason, wrapAll)
}

/** Wraps under one KEK; never rejects. */
async function land(
  { ports }: MultiSettings,
  kms: KeyManagementService,
  i: number,
  plaintext: SecretBytes,
  options: KmsCallOptions,
): Promise<Landing> {
  const { providerName: provider } = kms
  const bound = {
    timeoutMs: shareOf(options, 0, ports),
    provider,
    operation: 'wrapDataKey',
  } as const
  try {
    const wraps = await callWithin(ports, bound, options, async (given) =>
      checkAnswer(provider, await kms.wrapDataKey(plaintext, given), areWraps),
    )
    if (isOwn(kms, wraps, options)) return { i, wraps }
    return { i, error: new KmsError('ERR_KMS_RESPONSE_INVALID', { provider }) }
  } catch (error) {
    return { i, error }
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
  options: KmsCallOptions,
): Promise<void> {
  if (missing.length === 0) return
  const { runtime, network, observer } = ports
  const providers = missing.map(({ providerName }) => providerName)
  const dataKey = options.context[DATA_KEY_CONTEXT_KEY] ?? ''
  const note = async (signal: AbortSignal): Promise<void> =>
    repairs?.note({ dataKey, providers, atMs: runtime.now() }, { ...options, signal })
  const message = 'the log of missing wraps does not answer'
  const error = (): KmsError => new KmsError('ERR_STORE_UNAVAILABLE', { message })
  try {
    await withTimeout(note, { timeoutMs: NOTE_MS, signal: options.signal, network, error })
  } catch (failure) {
    throw typedError(failure, 'ERR_STORE_UNAVAILABLE', options.signal)
  }
  for (const provider of providers)
    notify(observer, { type: 'missing-wrap', provider, operation: 'generateDataKey' })
}

/** Whether a member made wraps under its own keys: others must not be hidden by the rest of the list. */
function isOwn(
  kms: KeyManagementService,
  wraps: readonly WrappedKey[],
  { context }: KmsCallOptions,
): boolean {
  return (
    kms.capabilities.usage === 'encrypt' || wraps.every((wrap) => recognizes(kms, wrap, context))
  )
}
