import {
  InterceptedKms,
  type KeyManagementService,
  type KmsCall,
  type KmsSignalOptions,
  type NextCall,
} from '../../../src/index.ts'
import type { Isolate } from '../isolate.ts'

/** A promise of a process that is gone. */
export const NEVER = new Promise<never>(() => undefined)

/** One life of a process: every call that leaves it passes here, and the process can end at any of them. */
export class Process {
  readonly isolate: Isolate
  /** Calls since its beginning, or since its job was last saved. */
  calls = 0
  /** Requests on data keys. */
  kmsCalls = 0
  /** The call at which it ends. */
  diesAt = Infinity
  /** Whether the request that it ends at still reaches the other side. */
  sends: () => boolean = () => true
  onCrash: () => void = () => undefined

  constructor(isolate: Isolate) {
    this.isolate = isolate
  }

  leave<T>(work: () => Promise<T>): Promise<T> {
    if (!this.isolate.alive) return NEVER
    this.calls += 1
    if (this.calls < this.diesAt) return work()
    if (this.sends()) void work().catch(() => undefined)
    this.isolate.alive = false
    this.onCrash()
    return NEVER
  }
}

/** A KMS as a process sees it that can end at any call. */
export class LeavingKms extends InterceptedKms {
  readonly #process: Process

  constructor(kms: KeyManagementService, process: Process) {
    super(kms)
    this.#process = process
  }

  protected override around<T, O extends KmsSignalOptions>(
    { operation, options }: KmsCall<T, O>,
    next: NextCall<T, O>,
  ): Promise<T> {
    if (operation !== 'currentVersion') this.#process.kmsCalls += 1
    return this.#process.leave(() => next(options))
  }
}
