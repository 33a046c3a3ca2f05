import {
  CachedKms,
  type EncryptionContext,
  type GeneratedDataKey,
  type KeyHeader,
  type KmsCallOptions,
  type KmsError,
  type KmsErrorCode,
  type KmsSignalOptions,
  type Network,
  type UnwrappedDataKey,
  type WrappedKey,
} from '../../../src/index.ts'
import { CONTEXT, FakeRuntime, PlainKms } from '../wire/fixture.ts'

export const USE = { durable: false }

/** Lets everything run that needs no timer of a {@link ManualNetwork}. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setTimeout(resolve))
}

/** A clock with real random numbers: several of them make several data keys. */
export function distinctRuntime(): FakeRuntime {
  const runtime = new FakeRuntime()
  runtime.randomFill = (bytes) => crypto.getRandomValues(bytes)
  return runtime
}

/** Timers that fire when the test says so. */
export class ManualNetwork implements Network {
  readonly timers = new Map<() => void, number>()
  jitterValue = 0

  fetch(): Promise<Response> {
    return Promise.reject(new Error('no network'))
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = (): void => {
      callback()
    }
    this.timers.set(timer, delayMs)
    return () => this.timers.delete(timer)
  }

  jitter(): number {
    return this.jitterValue
  }

  /** Fires the timers of this moment that wait for no longer than this, in order. */
  fire(mostMs = 5_000): void {
    for (const [timer, delayMs] of [...this.timers]) {
      if (delayMs > mostMs) continue
      this.timers.delete(timer)
      timer()
    }
  }
}

/** A KMS whose answers wait until they are released, and that can fail. */
export class GatedKms extends PlainKms {
  /** Names of the calls that began, and their signals, in order. */
  readonly begun: string[] = []
  readonly signals: (AbortSignal | undefined)[] = []
  error: Error | undefined
  open = true
  readonly #waiting: (() => void)[] = []

  override async generateDataKey(options: KmsCallOptions): Promise<GeneratedDataKey> {
    await this.#pass('generate', options)
    return super.generateDataKey(options)
  }

  override async unwrapDataKey(
    wraps: readonly WrappedKey[],
    options: KmsCallOptions,
  ): Promise<UnwrappedDataKey> {
    await this.#pass('unwrap', options)
    return super.unwrapDataKey(wraps, options)
  }

  /** Answers the calls that wait now. */
  release(): void {
    for (const go of this.#waiting.splice(0)) go()
  }

  async #pass(name: string, { signal }: KmsSignalOptions): Promise<void> {
    this.begun.push(name)
    this.signals.push(signal)
    if (!this.open) await new Promise<void>((go) => this.#waiting.push(go))
    if (this.error !== undefined) throw this.error
  }
}

/** A header that another process made: its key is in nobody's cache. */
export async function foreign(
  kms: PlainKms,
  context: EncryptionContext = CONTEXT,
): Promise<KeyHeader> {
  const { header } = await new CachedKms({ maxEntries: 0, kms, runtime: distinctRuntime() }).active(
    context,
    USE,
  )
  kms.calls.length = 0
  if (kms instanceof GatedKms) kms.begun.length = 0
  return header
}

export async function codeOf(work: () => unknown): Promise<KmsErrorCode | undefined> {
  try {
    await work()
    return undefined
  } catch (error) {
    return (error as KmsError).code
  }
}
