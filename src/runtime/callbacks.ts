import { isKmsError, KmsError } from '../errors.ts'
import type { Network } from '../ports/index.ts'
import type { FlightOptions } from './single-flight.ts'
import { webTimers } from './web-network.ts'
import { withTimeout } from './with-timeout.ts'

/** How long a function of the caller's may take, milliseconds. */
export const CALLBACK_TIMEOUT_MS = 10_000

/** A function that the caller gave us, and the bound of one call. */
export interface CallbackOptions {
  /** Name of the option that holds it, e.g. `credentials`: errors name it. */
  readonly name: string
  readonly provider: string
  readonly signal?: AbortSignal | undefined
  /** Timers; the platform's by default. */
  readonly network?: Pick<Network, 'after'>
  /** In milliseconds; 10,000 by default. */
  readonly timeoutMs?: number
}

/**
 * Returns what a function of the caller's answers. It ends within its bound, and its failure is a
 * `KmsError` that does not repeat what the function said: that may be a secret.
 *
 * @throws KmsError `ERR_KMS_UNAVAILABLE` if it fails, `ERR_KMS_TIMEOUT` if it does not answer; a
 * `KmsError` of its own as it is; the reason of the caller's signal
 */
export async function askCallback<T>(
  ask: (signal: AbortSignal) => T | Promise<T>,
  { name, provider, signal, network = webTimers, timeoutMs = CALLBACK_TIMEOUT_MS }: CallbackOptions,
): Promise<T> {
  const details = { provider, message: `the function in ${name} failed` }
  try {
    return await withTimeout(async (until) => ask(until), {
      timeoutMs,
      signal,
      network,
      error: () => new KmsError('ERR_KMS_TIMEOUT', details),
    })
  } catch (error) {
    signal?.throwIfAborted()
    if (isKmsError(error)) throw error
    throw new KmsError('ERR_KMS_UNAVAILABLE', details)
  }
}

/**
 * Returns the JWT that a function answers, without the white space around it: files and commands end
 * with a line break.
 *
 * @throws KmsError as {@link askCallback}; `ERR_KMS_UNAUTHENTICATED` for anything but a JWT
 */
export async function askForJwt(
  ask: (signal: AbortSignal) => string | Promise<string>,
  options: CallbackOptions,
): Promise<string> {
  const answer: unknown = await askCallback(ask, options)
  return jwtOf(answer, options.provider)
}

/**
 * Returns a JWT without the white space around it. A JWT is base64url in three parts; anything else
 * would be sent in a form that logs might keep.
 *
 * @throws KmsError `ERR_KMS_UNAUTHENTICATED`
 */
export function jwtOf(value: unknown, provider: string): string {
  const token = typeof value === 'string' ? value.trim() : ''
  if (/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) return token
  throw new KmsError('ERR_KMS_UNAUTHENTICATED', {
    provider,
    message: 'the token must be a JWT, got another value',
  })
}

/** A source of credentials or tokens, which expire. */
interface Source<O extends FlightOptions, T, R extends readonly unknown[]> {
  get(options: O): Promise<T>
  refused(...given: R): void
}

/**
 * Returns a source of the caller's, bounded and typed as {@link askCallback} does.
 *
 * @param check - returns the answer, or throws for one that cannot be used
 */
export function guardSource<O extends FlightOptions, T, R extends readonly unknown[]>(
  source: Source<O, T, R>,
  check: (value: T) => T,
  options: Omit<CallbackOptions, 'signal'>,
): Source<O, T, R> {
  return {
    async get(call) {
      const { signal } = call
      // The source's own bound is not known: the caller's signal ends the wait, and else this.
      const ask = (until: AbortSignal): Promise<T> => source.get({ ...call, signal: until })
      return check(
        await askCallback(ask, { ...options, signal, timeoutMs: 3 * CALLBACK_TIMEOUT_MS }),
      )
    },
    refused(...given) {
      try {
        source.refused(...given)
      } catch {
        // The caller got this error already. The next call asks again.
      }
    },
  }
}
