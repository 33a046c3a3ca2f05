import { KmsError, type KmsErrorCode, type Outcome, typedError } from '../errors.ts'
import {
  areWraps,
  checkAnswer,
  discard,
  isGenerated,
  isUnwrapped,
  type KeyManagementService,
  type KmsCallOptions,
  type KmsSignalOptions,
  outcomesOf,
  type UnwrappedDataKey,
  type UnwrapRequest,
} from '../kms/index.ts'
import type { Network } from '../ports/index.ts'
import { withTimeout } from '../runtime/index.ts'

/** Bounds of each call to the outside. */
export interface CallBounds {
  readonly kms: KeyManagementService
  readonly network: Pick<Network, 'after'>
  /** How long one call may take, in milliseconds. */
  readonly callTimeoutMs: number
}

/**
 * Makes one call to the outside. It ends when its time is up or the caller gives up, whether the other
 * side listens to the signal or not, and rejects with an abort or a KmsError only.
 */
async function ask<T>(
  { network, callTimeoutMs: timeoutMs }: CallBounds,
  [failure, timeout]: readonly [KmsErrorCode, KmsErrorCode],
  signal: AbortSignal | undefined,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const error = (): KmsError =>
    new KmsError(timeout, { message: `no answer within ${String(timeoutMs)} ms` })
  try {
    return await withTimeout(call, { timeoutMs, signal, network, error }, discard)
  } catch (thrown) {
    throw typedError(thrown, failure, signal)
  }
}

/** Makes one call of a data-key store. Any error of `call` means that the store is unavailable. */
export function askStore<T>(
  bounds: CallBounds,
  { signal }: KmsSignalOptions,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return ask(bounds, ['ERR_STORE_UNAVAILABLE', 'ERR_STORE_UNAVAILABLE'], signal, call)
}

/** Checks of the answer of each method of the service. */
const CHECKS: { readonly [M in CallName]: (answer: Answer<M>) => boolean } = {
  generateDataKey: isGenerated,
  wrapDataKey: areWraps,
  rewrapDataKey: areWraps,
  unwrapDataKey: isUnwrapped,
  unwrapMany: Array.isArray,
}

type CallName = 'generateDataKey' | 'wrapDataKey' | 'rewrapDataKey' | 'unwrapDataKey' | 'unwrapMany'
type Calls = Pick<KeyManagementService, CallName>
type Answer<M extends CallName> = Awaited<ReturnType<Calls[M]>>
type CallOptions = KmsSignalOptions & Partial<KmsCallOptions>

/** Makes one call of the KMS: bounded, and its answer has the right shape or is an error with a code. */
export function askKms<M extends CallName>(
  bounds: CallBounds,
  method: M,
  { signal, defer, context }: CallOptions, // a service sees no other option of the caller
  ...given: Parameters<Calls[M]> extends [...infer G, KmsSignalOptions] ? G : never
): ReturnType<Calls[M]> {
  const { kms } = bounds
  const check = CHECKS[method] as (answer: unknown) => boolean
  return ask(bounds, ['ERR_KMS_UNAVAILABLE', 'ERR_KMS_TIMEOUT'], signal, async (inner) => {
    const call = kms[method] as (...args: unknown[]) => Promise<unknown>
    const answer = await call.call(kms, ...given, { signal: inner, defer, context })
    return checkAnswer(kms.providerName, answer, check)
  }) as ReturnType<Calls[M]>
}

/** {@link KeyManagementService.unwrapMany} with one outcome for each item, however many are answered. */
export async function askMany(
  bounds: CallBounds,
  items: readonly UnwrapRequest[],
  options: KmsSignalOptions,
): Promise<readonly Outcome<UnwrappedDataKey>[]> {
  if (items.length === 0) return []
  return outcomesOf(await askKms(bounds, 'unwrapMany', options, [...items]), items.length)
}
