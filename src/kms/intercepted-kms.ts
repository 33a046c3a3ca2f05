import { optionError, plainOptions, wrongOption } from '../checks/index.ts'
import type { Outcome } from '../errors.ts'
import type { CallClass, KmsOperation } from '../ports/index.ts'
import type { KmsCapabilities } from './capabilities.ts'
import type { EncryptionContext } from './context-encoding.ts'
import type {
  GeneratedDataKey,
  HealthReport,
  KeyManagementService,
  KmsCallOptions,
  KmsKekOptions,
  KmsSignalOptions,
  UnwrappedDataKey,
  UnwrapRequest,
} from './key-management-service.ts'
import { recognizes } from './recognizes.ts'
import type { SecretBytes } from './secret-bytes.ts'
import { typedCall } from './typed-call.ts'
import { unwrapEach } from './unwrap-each.ts'
import type { KekVersion, WrappedKey } from './wrapped-key.ts'

/** One call on its way through a decorator. `T` is its answer, `O` its options. */
export interface KmsCall<T, O extends KmsSignalOptions = KmsSignalOptions> {
  readonly operation: KmsOperation
  /** `undefined` for `healthCheck`: it shows whether a KMS works again, so no layer may delay or refuse it. */
  readonly callClass: CallClass | undefined
  readonly provider: string
  readonly options: O
  /** K of the wire format, for the operations on one data key. */
  readonly context?: EncryptionContext
  /** The wraps to unwrap or rewrap. */
  readonly wraps?: readonly WrappedKey[]
  /** The items of `unwrapMany`. */
  readonly items?: readonly UnwrapRequest[]
  /** Returns the KEKs that an answer names; of a batch, those of its items that opened. */
  readonly keysOf: (answer: T) => readonly KekVersion[]
}

/**
 * Makes the call of the inner service, with the options that this layer gives it.
 *
 * @param items - of `unwrapMany`: ask for these only; all by default
 */
export type NextCall<T, O extends KmsSignalOptions = KmsSignalOptions> = (
  options: O,
  items?: readonly UnwrapRequest[],
) => Promise<T>

/** Options of {@link InterceptedKms}: how a decorator treats batches. */
export interface InterceptOptions {
  /**
   * Treat a batch as one call even if the service has no batches. By default such a batch becomes one
   * `unwrapDataKey` for each item, and the decorator sees those calls.
   */
  readonly wholeBatches?: boolean
}

type Facts = Partial<Pick<KmsCall<unknown>, 'context' | 'wraps' | 'items'>>

const CLASSES: Readonly<Record<KmsOperation, CallClass | undefined>> = {
  generateDataKey: 'encrypt',
  wrapDataKey: 'encrypt',
  unwrapDataKey: 'decrypt',
  unwrapMany: 'decrypt',
  rewrapDataKey: 'manage',
  currentVersion: 'manage',
  rotateKey: 'manage',
  healthCheck: undefined,
}

/**
 * Base class of a decorator of one KMS. It implements all methods and passes each call to
 * {@link InterceptedKms.around}, the only method that you write.
 *
 * @example
 * ```ts
 * import { InterceptedKms, type KmsCall, type KmsSignalOptions, type NextCall } from 'edge-kms'
 *
 * export class LoggingKms extends InterceptedKms {
 *   protected async around<T, O extends KmsSignalOptions>(
 *     { operation, options }: KmsCall<T, O>,
 *     next: NextCall<T, O>,
 *   ): Promise<T> {
 *     console.log(operation)
 *     return next(options)
 *   }
 * }
 * ```
 */
export abstract class InterceptedKms implements KeyManagementService {
  readonly providerName: string
  readonly capabilities: KmsCapabilities
  readonly #kms: KeyManagementService
  readonly #splitsBatches: boolean

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(kms: KeyManagementService, { wholeBatches = false }: InterceptOptions = {}) {
    this.#kms = serviceOf('kms', kms)
    this.providerName = kms.providerName
    this.capabilities = kms.capabilities
    this.#splitsBatches = !wholeBatches && !kms.capabilities.batches
  }

  /** Runs one call. `next` makes it at the inner service; a decorator may call it several times, or never. */
  protected abstract around<T, O extends KmsSignalOptions>(
    call: KmsCall<T, O>,
    next: NextCall<T, O>,
  ): Promise<T>

  canUnwrap(wrap: WrappedKey, context?: EncryptionContext): boolean {
    return recognizes(this.#kms, wrap, context)
  }

  generateDataKey(options: KmsCallOptions): Promise<GeneratedDataKey> {
    const next = (given: KmsCallOptions) => this.#kms.generateDataKey(given)
    return this.#run('generateDataKey', options, options, next, ({ wraps }) => wraps)
  }

  wrapDataKey(plaintext: SecretBytes, options: KmsCallOptions): Promise<readonly WrappedKey[]> {
    const next = (given: KmsCallOptions) => this.#kms.wrapDataKey(plaintext, given)
    return this.#run('wrapDataKey', options, options, next, same)
  }

  unwrapDataKey(wraps: readonly WrappedKey[], options: KmsCallOptions): Promise<UnwrappedDataKey> {
    const { context } = options
    const next = (given: KmsCallOptions) => this.#kms.unwrapDataKey(wraps, given)
    return this.#run('unwrapDataKey', { context, wraps }, options, next, ({ by }) => [by])
  }

  unwrapMany(
    items: readonly UnwrapRequest[],
    options: KmsSignalOptions,
  ): Promise<readonly Outcome<UnwrappedDataKey>[]> {
    if (this.#splitsBatches) return unwrapEach(this, items, options)
    const next = (given: KmsSignalOptions, some = items) => this.#kms.unwrapMany(some, given)
    const keysOf = (outcomes: readonly Outcome<UnwrappedDataKey>[]): readonly WrappedKey[] =>
      outcomes.flatMap((outcome) => (outcome.ok ? [outcome.value.by] : []))
    return this.#run('unwrapMany', { items }, options, next, keysOf)
  }

  rewrapDataKey(
    wraps: readonly WrappedKey[],
    options: KmsCallOptions,
  ): Promise<readonly WrappedKey[]> {
    const { context } = options
    const next = (given: KmsCallOptions) => this.#kms.rewrapDataKey(wraps, given)
    return this.#run('rewrapDataKey', { context, wraps }, options, next, same)
  }

  currentVersion(options: KmsKekOptions = {}): Promise<readonly KekVersion[]> {
    const next = (given: KmsKekOptions) => this.#kms.currentVersion(given)
    return this.#run('currentVersion', {}, options, next, same)
  }

  rotateKey(options: KmsKekOptions = {}): Promise<readonly KekVersion[]> {
    const next = (given: KmsKekOptions) => this.#kms.rotateKey(given)
    return this.#run('rotateKey', {}, options, next, same)
  }

  healthCheck(options: KmsKekOptions = {}): Promise<HealthReport> {
    const next = (given: KmsKekOptions) => this.#kms.healthCheck(given)
    return this.#run('healthCheck', {}, options, next, () => [])
  }

  async #run<T, O extends KmsSignalOptions>(
    operation: KmsOperation,
    { context, wraps, items }: Facts,
    options: O,
    next: NextCall<T, O>,
    keysOf: KmsCall<T>['keysOf'],
  ): Promise<T> {
    // A decorator copies them: what a prototype holds, such as a context, would be lost.
    plainOptions(options).signal?.throwIfAborted()
    const facts = { ...(context && { context }), ...(wraps && { wraps }), ...(items && { items }) }
    const { providerName: provider } = this
    const call = { operation, callClass: CLASSES[operation], provider, options, ...facts, keysOf }
    return this.around(call, (given, some) => typedCall(given.signal, () => next(given, some)))
  }
}

/**
 * Returns the service that an option holds.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function serviceOf(name: string, kms: unknown): KeyManagementService {
  const { unwrapDataKey, active } = Object(kms) as Readonly<Record<string, unknown>>
  if (typeof unwrapDataKey === 'function') return kms as KeyManagementService
  if (typeof active !== 'function') throw wrongOption(name, 'a KeyManagementService', kms)
  // Its name says KMS: it is above one, never below.
  const above =
    'a CachedKms or another data-key source: pass its KMS here, and the result to CachedKms'
  throw optionError(name, `must be a KeyManagementService, got ${above}`)
}

function same(keys: readonly KekVersion[]): readonly KekVersion[] {
  return keys
}
