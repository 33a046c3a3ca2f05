import { describe } from '../checks/index.ts'
import { KmsError } from '../errors.ts'
import { callOutside, type SourceCallPorts } from './source-calls.ts'
import type { RotationStateStore } from './state-store.ts'

/** A value of a state store, and the text that it was read from. */
export interface StoredState<T> {
  readonly text: string | undefined
  readonly value: T | undefined
}

/** Reads and writes JSON in a state store, each call bounded. */
export class StateFile {
  readonly #store: RotationStateStore
  readonly #ports: SourceCallPorts

  constructor(store: RotationStateStore, ports: SourceCallPorts) {
    this.#store = store
    this.#ports = ports
  }

  /** @throws KmsError `ERR_STORE_UNAVAILABLE`, also for what is not JSON */
  async read<T>(name: string, signal: AbortSignal | undefined): Promise<StoredState<T>> {
    const text = await callOutside(this.#ports, 'state store: load', signal, (options) =>
      this.#store.load(name, options),
    )
    if (text === undefined) return { text, value: undefined }
    if (typeof text !== 'string') {
      const message = `the state store must answer text or undefined, got ${describe(text)}`
      throw new KmsError('ERR_STORE_UNAVAILABLE', { message, retryable: false })
    }
    try {
      return { text, value: JSON.parse(text) as T }
    } catch {
      const message = 'the state store holds something else than a state'
      throw new KmsError('ERR_STORE_UNAVAILABLE', { message, retryable: false })
    }
  }

  /** Replaces what was read. Returns it as written, or `undefined`: another process was faster. */
  async swap<T>(
    name: string,
    { text }: StoredState<unknown>,
    next: T,
    signal: AbortSignal | undefined,
  ): Promise<StoredState<T> | undefined> {
    const written = JSON.stringify(next)
    const isSaved = await callOutside(this.#ports, 'state store: save', signal, (options) =>
      this.#store.save(name, text, written, options),
    )
    return isSaved ? { text: written, value: next } : undefined
  }

  /**
   * Replaces what was read.
   *
   * @throws KmsError `ERR_STORE_CONFLICT` if another process was faster
   */
  async write<T>(
    name: string,
    from: StoredState<unknown>,
    next: T,
    signal: AbortSignal | undefined,
  ): Promise<StoredState<T>> {
    const written = await this.swap(name, from, next, signal)
    if (written !== undefined) return written
    const message = 'another process changed the state: call again'
    throw new KmsError('ERR_STORE_CONFLICT', { message, retryable: true })
  }
}
