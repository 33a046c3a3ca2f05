import { isKmsError } from '../errors.ts'
import { wrongOption } from '../checks/index.ts'
import { type KeyManagementService } from '../kms/index.ts'
import type { CallClass, KmsOperation, Network, Observer, Runtime } from '../ports/index.ts'
import { webNetwork, webRuntime } from '../runtime/index.ts'

/** What every decorator stands on; tests and simulations bring their own. */
export interface DecoratorPorts {
  readonly runtime?: Runtime | undefined
  readonly network?: Network | undefined
  /** Hears what this layer does. */
  readonly observer?: Observer | undefined
}

/** Ports, complete. */
export interface Ports {
  readonly runtime: Runtime
  readonly network: Network
  readonly observer: Observer | undefined
}

/** One call of the inner service, with the options that this layer gives it. */
export type InnerCall<T, O> = (options: O) => Promise<T>

/** The ports that were given, with those of the web for the rest. */
export function portsOf({ runtime, network, observer }: DecoratorPorts): Ports {
  return { runtime: runtime ?? webRuntime, network: network ?? webNetwork, observer }
}

/** @throws KmsError `ERR_KMS_CONFIG` if this is no service */
export function serviceOf(kms: KeyManagementService): KeyManagementService {
  if (typeof (kms as Partial<KeyManagementService> | null)?.unwrapDataKey === 'function') return kms
  throw wrongOption('kms')
}

const CLASSES: { readonly [O in Exclude<KmsOperation, 'healthCheck'>]: CallClass } = {
  generateDataKey: 'encrypt',
  wrapDataKey: 'encrypt',
  unwrapDataKey: 'decrypt',
  unwrapMany: 'decrypt',
  rewrapDataKey: 'manage',
  currentVersion: 'manage',
  rotateKey: 'manage',
}

/** The class of an operation. `healthCheck` has none: it is how one sees that a KMS is back. */
export function classOf(operation: Exclude<KmsOperation, 'healthCheck'>): CallClass {
  return CLASSES[operation]
}

/** How an event names what was thrown. What is not ours counts as an outage, as it does for the caller. */
export function errorTypeOf(error: unknown, signal: AbortSignal | undefined): string {
  if (signal?.aborted === true && !isKmsError(error)) return 'aborted'
  if (isKmsError(error)) return error.code
  return (error as Partial<Error> | undefined)?.name === 'AbortError'
    ? 'aborted'
    : 'ERR_KMS_UNAVAILABLE'
}
