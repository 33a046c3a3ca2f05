import { configError, plainOptions, wrongOption } from '../checks/index.ts'
import { isKmsError, KmsError, type Outcome } from '../errors.ts'
import { discard, type KeyManagementService, type KmsSignalOptions, missing } from '../kms/index.ts'
import type { KmsOperation, Network, Observer, Runtime } from '../ports/index.ts'
import { webNetwork, webRuntime, withTimeout } from '../runtime/index.ts'

/** Ports of every decorator; tests and simulations bring their own. */
export interface DecoratorPorts {
  readonly runtime?: Runtime | undefined
  readonly network?: Network | undefined
  /** Receives the events of this layer. */
  readonly observer?: Observer | undefined
}

/** Ports, complete. */
export interface Ports {
  readonly runtime: Runtime
  readonly network: Network
  readonly observer: Observer | undefined
}

/** Options of a decorator of one KMS. */
export interface DecoratorOptions extends DecoratorPorts {
  readonly kms: KeyManagementService
}

/**
 * Splits options into the ports, with those of the web where none are given, and the rest.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function partsOf<T extends DecoratorPorts>(
  options: T,
): { readonly ports: Ports; readonly rest: Omit<T, keyof DecoratorPorts> } {
  if (typeof options !== 'object' || (options as T | null) === null)
    throw wrongOption('the options', 'an object', options)
  const { runtime = webRuntime, network = webNetwork, observer, ...rest } = plainOptions(options)
  demandMethod('runtime', runtime, 'now')
  demandMethod('network', network, 'after')
  if (observer !== undefined) demandMethod('observer', observer, 'observe')
  return { ports: { runtime, network, observer }, rest }
}

/**
 * Refuses what has not the method by which a port is known.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function demandMethod(name: string, port: unknown, method: string): void {
  const found = (port as Readonly<Record<string, unknown>> | null | undefined)?.[method]
  if (typeof found !== 'function') throw wrongOption(name, `an object with ${method}()`, port)
}

/** Timeout and error labels of a call. */
export interface CallBound {
  /** In milliseconds; `undefined`: only the caller's signal ends the call. */
  readonly timeoutMs: number | undefined
  readonly provider: string
  readonly operation: KmsOperation
}

/**
 * Makes one call that ends in time, and tells the layers below how much time is left. An answer that
 * comes too late is wiped.
 *
 * @throws KmsError `ERR_KMS_TIMEOUT`; the signal's reason; what the call throws
 */
export function callWithin<T, O extends KmsSignalOptions>(
  { network, runtime }: Ports,
  { timeoutMs, provider, operation }: CallBound,
  options: O,
  call: (options: O) => Promise<T>,
): Promise<T> {
  const untilMs = runtime.now() + (timeoutMs ?? Infinity)
  const deadlineMs = Math.min(options.deadlineMs ?? Infinity, untilMs)
  const left = deadlineMs < Infinity ? { deadlineMs } : undefined
  const error = (): KmsError => new KmsError('ERR_KMS_TIMEOUT', { provider, operation })
  return withTimeout(
    (signal) => call({ ...options, signal, ...left }),
    { timeoutMs, signal: options.signal, network, error },
    discard,
  )
}

/**
 * Runs work under a signal that also aborts as soon as the work has ended: calls that are still under
 * way then are of no use.
 *
 * @param reason - why they end
 */
export async function race<T>(
  caller: AbortSignal | undefined,
  reason: () => Error,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  caller?.throwIfAborted()
  const control = new AbortController()
  const stop = (): void => {
    control.abort(caller?.reason)
  }
  caller?.addEventListener('abort', stop, { once: true })
  try {
    return await work(control.signal)
  } finally {
    caller?.removeEventListener('abort', stop)
    control.abort(reason())
  }
}

/**
 * Returns what the first of some calls brings, or `undefined` if none has ended by then.
 *
 * @param calls - that never reject
 */
export async function nextOf<T>(
  calls: Iterable<Promise<T>>,
  timeoutMs: number | undefined,
  { network }: Ports,
): Promise<T | undefined> {
  const error = (): Error => new Error('none has ended')
  const next = (): Promise<T> => Promise.race(calls)
  return withTimeout(next, { timeoutMs, network, error }).catch(() => undefined)
}

/**
 * Returns how an event names an error. An abort counts as one only if the caller's signal is aborted;
 * any other error that is not ours is an outage.
 */
export function errorTypeOf(error: unknown, signal: AbortSignal | undefined): string {
  if (isKmsError(error)) return error.code
  return signal?.aborted === true ? 'aborted' : 'ERR_KMS_UNAVAILABLE'
}

/**
 * Returns what the answer to a batch says of its KMS as one call: nothing bad if one item was opened,
 * for then the KMS is there; else the error of an item that may succeed later counts over the others.
 */
export function batchError(outcomes: readonly (Outcome<unknown> | undefined)[]): unknown {
  if (!Array.isArray(outcomes)) return new KmsError('ERR_KMS_RESPONSE_INVALID')
  const all = outcomes as readonly (Outcome<unknown> | undefined)[]
  if (all.length === 0 || all.some((outcome) => outcome?.ok === true)) return undefined
  const errors = all.map((outcome) => (outcome?.ok === false ? outcome.error : undefined))
  return errors.find((error) => error?.retryable) ?? errors[0] ?? missing()
}

/**
 * Returns a KMS that has one KEK for all contexts.
 *
 * @param layer - whose state all calls would share
 * @throws KmsError `ERR_KMS_CONFIG` for a KMS whose KEKs belong to customers
 */
export function demandOneKek(layer: string, kms: KeyManagementService): KeyManagementService {
  if (!(kms as Partial<KeyManagementService> | null)?.capabilities?.keksByContext) return kms
  const where = 'put it inside `create` of kmsByContext'
  throw configError(`${layer} would let one customer's outage refuse the calls of all: ${where}`)
}
