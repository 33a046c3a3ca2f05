import type {
  GeneratedDataKey,
  HealthReport,
  KekVersion,
  KeyManagementService,
  KmsCallOptions,
  KmsCapabilities,
  KmsOperation,
  KmsSignalOptions,
  Outcome,
  SecretBytes,
  UnwrappedDataKey,
  UnwrapRequest,
  WrappedKey,
} from '../../../src/index.ts'
import { hex } from '../sim-kms.ts'

/** Hears each request to a KMS, below the stack. */
export interface AttemptWitness {
  /** Returns what hears how it ended. */
  began(
    provider: string,
    operation: KmsOperation,
    subject: string,
    signal: AbortSignal | undefined,
  ): (error?: unknown) => void
  /** A secret came into being. */
  made(secret: SecretBytes): void
}

/** One KMS as the stack sees it, and a witness of every call. */
export class WitnessedKms implements KeyManagementService {
  readonly providerName: string
  readonly capabilities: KmsCapabilities
  readonly #kms: KeyManagementService
  readonly #witness: AttemptWitness
  readonly #deaf: boolean

  constructor(
    kms: KeyManagementService,
    how: { readonly batches: boolean; readonly deaf: boolean },
    witness: AttemptWitness,
  ) {
    this.providerName = kms.providerName
    this.capabilities = { ...kms.capabilities, batches: how.batches }
    this.#deaf = how.deaf
    this.#kms = kms
    this.#witness = witness
  }

  canUnwrap(wrap: WrappedKey): boolean {
    return this.#kms.canUnwrap(wrap)
  }

  async generateDataKey(options: KmsCallOptions): Promise<GeneratedDataKey> {
    const call = (): Promise<GeneratedDataKey> => this.#kms.generateDataKey(this.#heard(options))
    const made = await this.#run('generateDataKey', '', options, call)
    this.#witness.made(made.plaintext)
    return made
  }

  wrapDataKey(plaintext: SecretBytes, options: KmsCallOptions): Promise<readonly WrappedKey[]> {
    return this.#run('wrapDataKey', '', options, () =>
      this.#kms.wrapDataKey(plaintext, this.#heard(options)),
    )
  }

  async unwrapDataKey(
    wraps: readonly WrappedKey[],
    options: KmsCallOptions,
  ): Promise<UnwrappedDataKey> {
    const call = (): Promise<UnwrappedDataKey> =>
      this.#kms.unwrapDataKey(wraps, this.#heard(options))
    const opened = await this.#run('unwrapDataKey', subjectOf(wraps), options, call)
    this.#witness.made(opened.plaintext)
    return opened
  }

  async unwrapMany(
    items: readonly UnwrapRequest[],
    options: KmsSignalOptions,
  ): Promise<readonly Outcome<UnwrappedDataKey>[]> {
    const call = (): Promise<readonly Outcome<UnwrappedDataKey>[]> =>
      this.#kms.unwrapMany(items, this.#heard(options))
    const subject = items.map(({ wraps }) => subjectOf(wraps)).join(' ')
    const outcomes = await this.#run('unwrapMany', subject, options, call, failureOf)
    for (const outcome of outcomes) if (outcome.ok) this.#witness.made(outcome.value.plaintext)
    return outcomes
  }

  rewrapDataKey(
    wraps: readonly WrappedKey[],
    options: KmsCallOptions,
  ): Promise<readonly WrappedKey[]> {
    const call = (): Promise<readonly WrappedKey[]> =>
      this.#kms.rewrapDataKey(wraps, this.#heard(options))
    return this.#run('rewrapDataKey', subjectOf(wraps), options, call)
  }

  currentVersion(options: KmsSignalOptions): Promise<readonly KekVersion[]> {
    return this.#run('currentVersion', '', options, () => this.#kms.currentVersion(options))
  }

  rotateKey(options: KmsSignalOptions): Promise<readonly KekVersion[]> {
    return this.#run('rotateKey', '', options, () => this.#kms.rotateKey(options))
  }

  healthCheck(options: KmsSignalOptions): Promise<HealthReport> {
    const call = (): Promise<HealthReport> => this.#kms.healthCheck(this.#heard(options))
    return this.#run('healthCheck', '', options, call)
  }

  #heard<O extends KmsSignalOptions>(options: O): O {
    return this.#deaf ? { ...options, signal: undefined } : options
  }

  async #run<T>(
    operation: KmsOperation,
    subject: string,
    { signal }: KmsSignalOptions,
    call: () => Promise<T>,
    failureOf: (answer: T) => unknown = () => undefined,
  ): Promise<T> {
    const ended = this.#witness.began(this.providerName, operation, subject, signal)
    try {
      const answer = await call()
      ended(failureOf(answer))
      return answer
    } catch (error) {
      ended(error)
      throw error
    }
  }
}

function subjectOf(wraps: readonly WrappedKey[]): string {
  return wraps.map(({ wrapped }) => hex(wrapped)).join()
}

/** A batch of which nothing was answered failed for what may pass, if anything may. */
function failureOf(outcomes: readonly Outcome<UnwrappedDataKey>[]): unknown {
  const errors = outcomes.flatMap((outcome) => (outcome.ok ? [] : [outcome.error]))
  if (errors.length < outcomes.length) return undefined
  return errors.find(({ retryable }) => retryable) ?? errors[0]
}
