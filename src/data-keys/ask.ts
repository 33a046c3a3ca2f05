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
import { untilAborted } from '../runtime/index.ts'

/**
 * One call to the outside. It ends when the caller gives up, whether the other side listens to the
 * signal or not, and rejects with nothing but an abort or a KmsError.
 *
 * @param failure - the code of what the other side throws
 * @param nonsense - the code of an answer that does not pass the check
 */
export async function ask<T>(
  { signal }: KmsSignalOptions,
  failure: KmsErrorCode,
  nonsense: KmsErrorCode,
  call: () => Promise<T>,
  check: (answer: T) => boolean,
): Promise<T> {
  const checked = async (): Promise<T> => {
    const answer = await call()
    if (!signal?.aborted && passes(check, answer)) return answer
    // Nobody waits for it any more, or can use it.
    passes(wipe, answer as GeneratedDataKey)
    throw new KmsError(nonsense)
  }
  try {
    signal?.throwIfAborted()
    return await untilAborted(checked(), signal)
  } catch (error) {
    throw typedError(error, failure, signal)
  }
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

/** One call of the service: its answer has the right shape, or is an error with a code. */
export function askKms<M extends keyof Calls>(
  kms: Calls,
  method: M,
  options: CallOptions,
  ...given: Parameters<Calls[M]> extends [...infer G, KmsSignalOptions] ? G : never
): ReturnType<Calls[M]> {
  const { signal, defer, context } = options // a service sees no other option of the caller
  const call = kms[method] as (...args: unknown[]) => Promise<unknown>
  return ask(
    options,
    'ERR_KMS_UNAVAILABLE',
    'ERR_KMS_RESPONSE_INVALID',
    () => call.call(kms, ...given, { signal, defer, context }),
    CHECKS[method] as (answer: unknown) => boolean,
  ) as ReturnType<Calls[M]>
}

/** {@link KeyManagementService.unwrapMany} with one outcome for each item, however many are answered. */
export async function askMany(
  kms: Calls,
  items: readonly UnwrapRequest[],
  options: KmsSignalOptions,
): Promise<readonly Outcome<UnwrappedDataKey>[]> {
  if (items.length === 0) return []
  const answers = await askKms(kms, 'unwrapMany', options, items)
  return items.map((_, i): Outcome<UnwrappedDataKey> => {
    const answer = answers[i]
    if (answer?.ok === true && passes(isUnwrapped, answer.value)) return answer
    const { error } = { error: undefined, ...answer }
    return { ok: false, error: typedError(error, 'ERR_KMS_RESPONSE_INVALID', options.signal) }
  })
}

/** A check of what may be anything: a look into `undefined` is a no. */
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
