import { KmsError } from '../errors.ts'
import { newRotationState } from './state.ts'
import { checkState } from './check-state.ts'
import type { RotationState } from './rotation-state.ts'
import type { StateFile, StoredState } from './state-file.ts'

/** How often a change is tried that other processes make at the same time. */
const TRIES = 10

/** The state of one job in a state store. */
export class JobStates {
  readonly #file: StateFile
  readonly #job: string
  readonly #sources: readonly string[]

  constructor(file: StateFile, job: string, sources: readonly string[]) {
    this.#file = file
    this.#job = job
    this.#sources = sources
  }

  /** @throws KmsError `ERR_STORE_UNAVAILABLE`, `ERR_KMS_CONFIG` for a state of other sources */
  async load(signal: AbortSignal | undefined): Promise<StoredState<RotationState>> {
    const found = await this.#file.read<RotationState>(this.#name, signal)
    if (found.value !== undefined) checkState(found.value, this.#sources)
    return found
  }

  /** Writes the state of a new job, unless one is there that has not finished. Returns what is there then. */
  async begin(atMs: number, signal: AbortSignal | undefined): Promise<StoredState<RotationState>> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const found = await this.load(signal)
      if (found.value !== undefined && found.value.phase !== 'finished') return found
      const next = this.fresh(atMs)
      const written = await this.save(found, next, signal)
      if (written !== undefined) return written
    }
    throw busy()
  }

  /** Returns the state of a job that has not done anything yet. It is not written. */
  fresh(atMs: number): RotationState {
    return newRotationState({ job: this.#job, sources: this.#sources, atMs })
  }

  /** Replaces a state. Returns it as written, or `undefined`: another process was faster. */
  save(
    from: StoredState<RotationState>,
    next: RotationState,
    signal: AbortSignal | undefined,
  ): Promise<StoredState<RotationState> | undefined> {
    return this.#file.swap(this.#name, from, next, signal)
  }

  /**
   * Changes the state, whatever a running job does to it meanwhile.
   *
   * @param change - returns the next state, or `undefined` if there is nothing to change
   */
  async update(
    change: (state: RotationState) => RotationState | undefined,
    signal: AbortSignal | undefined,
  ): Promise<RotationState | undefined> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const found = await this.load(signal)
      if (found.value === undefined) return undefined
      const next = change(found.value)
      if (next === undefined) return found.value
      const written = await this.save(found, next, signal)
      if (written !== undefined) return next
    }
    throw busy()
  }

  get #name(): string {
    return `job-${this.#job}`
  }
}

function busy(): KmsError {
  const message = 'other processes change the state of this job at the same time'
  return new KmsError('ERR_STORE_CONFLICT', { message, retryable: true })
}
