import { KmsError, type KmsErrorCode, type Outcome, typedError } from '../errors.ts'
import type {
  GeneratedDataKey,
  KeyManagementService,
  KmsCallOptions,
  KmsSignalOptions,
  SecretBytes,
  UnwrappedDataKey,
  UnwrapRequest,
  WrappedKey,
} from '../kms/index.ts'
import type { Network } from '../ports/index.ts'
import { withTimeout } from '../runtime/index.ts'

/** What bounds each call to the outside. */
export interface CallBounds {
  readonly network: Pick<Network, 'after'>
  /** How long one call may take, in milliseconds. */
  readonly callTimeoutMs: number
}

/** The codes of one kind of call. */
interface CallCodes {
  /** Of what the other side throws. */
  readonly failure: KmsErrorCode
  readonly timeout: KmsErrorCode
  /** Of an answer that does not pass the check. */
  readonly nonsense: KmsErrorCode
}

const KMS: CallCodes = {
  failure: 'ERR_KMS_UNAVAILABLE',
  timeout: 'ERR_KMS_TIMEOUT',
  nonsense: 'ERR_KMS_RESPONSE_INVALID',
}
const STORE: CallCodes = {
  failure: 'ERR_STORE_UNAVAILABLE',
  timeout: 'ERR_STORE_UNAVAILABLE',
  nonsense: 'ERR_STORE_UNAVAILABLE',
}

/**
 * Makes one call to the outside. It ends when its time is up or the caller gives up, whether the other
 * side listens to the signal or not, and rejects with an abort or a KmsError only.
 */
async function ask<T>(
  { network, callTimeoutMs }: CallBounds,
  { failure, timeout, nonsense }: CallCodes,
  signal: AbortSignal | undefined,
  call: (signal: AbortSignal) => Promise<T>,
  check: (answer: T) => boolean,
): Promise<T> {
  const checked = async (inner: AbortSignal): Promise<T> => {
    const answer = await call(inner)
    if (passes(check, answer)) return answer
    passes(wipe, answer as GeneratedDataKey)
    throw new KmsError(nonsense)
  }
  const error = (): KmsError => new KmsError(timeout, { message: 'no answer in time' })
  const bounds = { timeoutMs: callTimeoutMs, signal, network, error }
  try {
    return await withTimeout(checked, bounds, (late) => passes(wipe, late as GeneratedDataKey))
  } catch (thrown) {
    throw typedError(thrown, failure, signal)
  }
}

/** One call of a data-key store; `check` says whether its answer has the right shape. */
export function askStore<T>(
  bounds: CallBounds,
  { signal }: KmsSignalOptions,
  call: (signal: AbortSignal) => Promise<T>,
  check: (answer: T) => boolean,
): Promise<T> {
  return ask(bounds, STORE, signal, call, check)
}

/** What a method of the service must answer. */
const CHECKS: { readonly [M in CallName]: (answer: Answer<M>) => boolean } = {
  generateDataKey: ({ plaintext, wraps }) => isSecret(plaintext) && areWraps(wraps),
  wrapDataKey: areWraps,
  rewrapDataKey: areWraps,
  unwrapDataKey: isUnwrapped,
  unwrapMany: Array.isArray,
}

type CallName = 'generateDataKey' | 'wrapDataKey' | 'rewrapDataKey' | 'unwrapDataKey' | 'unwrapMany'
type Calls = Pick<KeyManagementService, CallName>
type Answer<M extends CallName> = Awaited<ReturnType<Calls[M]>>
type CallOptions = KmsSignalOptions & Partial<KmsCallOptions>

/** The calls of a KMS: bounded, and each answer has the right shape or is an error with a code. */
export class KmsCaller implements Pick<KeyManagementService, 'canUnwrap' | 'capabilities'> {
  readonly #kms: KeyManagementService
  readonly #bounds: CallBounds

  constructor(kms: KeyManagementService, bounds: CallBounds) {
    this.#kms = kms
    this.#bounds = bounds
  }

  get capabilities(): KeyManagementService['capabilities'] {
    return this.#kms.capabilities
  }

  canUnwrap(wrap: WrappedKey): boolean {
    return this.#kms.canUnwrap(wrap)
  }

  ask<M extends keyof Calls>(
    method: M,
    { signal, defer, context }: CallOptions, // a service sees no other option of the caller
    ...given: Parameters<Calls[M]> extends [...infer G, KmsSignalOptions] ? G : never
  ): ReturnType<Calls[M]> {
    const call = this.#kms[method] as (...args: unknown[]) => Promise<unknown>
    return ask(
      this.#bounds,
      KMS,
      signal,
      (inner) => call.call(this.#kms, ...given, { signal: inner, defer, context }),
      CHECKS[method] as (answer: unknown) => boolean,
    ) as ReturnType<Calls[M]>
  }

  /** {@link KeyManagementService.unwrapMany} with one outcome for each item, however many are answered. */
  async askMany(
    items: readonly UnwrapRequest[],
    options: KmsSignalOptions,
  ): Promise<readonly Outcome<UnwrappedDataKey>[]> {
    if (items.length === 0) return []
    const answers = await this.ask('unwrapMany', options, [...items])
    return items.map((_, i): Outcome<UnwrappedDataKey> => {
      const answer = answers[i]
      if (answer?.ok === true && passes(isUnwrapped, answer.value)) return answer
      const { error } = { error: undefined, ...answer }
      return { ok: false, error: typedError(error, KMS.nonsense, options.signal) }
    })
  }
}

/** Runs a check of a value that may be anything: one that throws has not passed. */
function passes<T>(check: (answer: T) => unknown, answer: T): unknown {
  try {
    return check(answer)
  } catch {
    return undefined
  }
}

function isSecret(secret: SecretBytes): boolean {
  return secret.expose() instanceof Uint8Array
}

function isWrap({ provider, kekId, kekVersion, wrapped }: WrappedKey): boolean {
  const texts: readonly unknown[] = [provider, kekId, kekVersion]
  return texts.every((text) => typeof text === 'string') && wrapped instanceof Uint8Array
}

function wipe({ plaintext }: GeneratedDataKey): void {
  plaintext.dispose()
}

function areWraps(wraps: readonly WrappedKey[]): boolean {
  return wraps.every(isWrap)
}

function isUnwrapped({ plaintext, by }: UnwrappedDataKey): boolean {
  return isSecret(plaintext) && isWrap(by)
}
