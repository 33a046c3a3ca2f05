import { optionError } from '../checks/index.ts'
import { type KmsError, typedError } from '../errors.ts'
import { type KeyManagementService, type KmsSignalOptions, serviceOf } from '../kms/index.ts'
import { askCallback, BoundedMap, SingleFlight } from '../runtime/index.ts'
import type { Ports } from './service.ts'

/** Makes the KMS of one key name. The signal aborts when no call waits for it any more. */
export type CreateKms = (
  keyName: string,
  options: { readonly signal: AbortSignal },
) => KeyManagementService | Promise<KeyManagementService>

/** Refuses a KMS that cannot do what the whole promises. */
export type CheckKms = (kms: KeyManagementService) => void

/** How long a failed `create` is answered from memory, in milliseconds. */
const FAILURE_MS = 1_000
/** How long a call waits for the `create` of another call before it makes its own, in milliseconds. */
const FOLLOWER_WAIT_MS = 1_000

interface Failure {
  readonly error: KmsError
  readonly atMs: number
}

/**
 * Holds one KMS for each key name, those used last. Callers that want the same one at the same time share
 * one `create`; each waits with a timer of its own. A caller keeps what it got, also after an eviction.
 */
export class KmsPool {
  readonly #create: CreateKms
  readonly #check: CheckKms
  readonly #ports: Ports
  readonly #held: BoundedMap<string, KeyManagementService>
  readonly #failures: BoundedMap<string, Failure>
  readonly #flights: SingleFlight<KeyManagementService>
  /** Counts calls of {@link KmsPool.forget}: what was begun before one is not held after it. */
  #stamp = 0

  constructor(create: CreateKms, check: CheckKms, maxEntries: number, ports: Ports) {
    this.#create = create
    this.#check = check
    this.#ports = ports
    this.#held = new BoundedMap(maxEntries)
    this.#failures = new BoundedMap(maxEntries)
    this.#flights = new SingleFlight(ports.network, FOLLOWER_WAIT_MS, ports.runtime)
  }

  /** Returns how many are held, and how many had to go for others. */
  stats(): { readonly entries: number; readonly evictions: number } {
    return { entries: this.#held.size, evictions: this.#held.evictions }
  }

  /** Returns the KMS of a key name if it is held. */
  held(keyName: string): KeyManagementService | undefined {
    return this.#held.get(keyName)
  }

  /** Returns those that were used last, at most `most`. */
  recent(most: number): readonly KeyManagementService[] {
    return [...this.#held.values()].slice(-most)
  }

  /**
   * Returns the KMS of a key name; makes it where it is not held.
   *
   * @throws KmsError the error of `create`, also from memory for a second
   */
  async get(keyName: string, options: KmsSignalOptions): Promise<KeyManagementService> {
    const held = this.#held.get(keyName)
    if (held !== undefined) return held
    const { error, atMs } = this.#failures.get(keyName) ?? {}
    const agoMs = this.#ports.runtime.now() - (atMs ?? -Infinity)
    if (error !== undefined && agoMs >= 0 && agoMs < FAILURE_MS) throw error
    const { signal, defer } = options
    const work = (until: AbortSignal): Promise<KeyManagementService> => this.#make(keyName, until)
    return this.#flights.run(`${String(this.#stamp)} ${keyName}`, work, { signal, defer })
  }

  /** Drops one, or all. Calls under way go on. */
  forget(keyName?: string): void {
    this.#stamp += 1
    for (const map of [this.#held, this.#failures]) {
      if (keyName === undefined) map.clear()
      else map.delete(keyName)
    }
  }

  async #make(keyName: string, signal: AbortSignal): Promise<KeyManagementService> {
    const stamp = this.#stamp
    const { network, runtime } = this.#ports
    const ask = (until: AbortSignal): ReturnType<CreateKms> =>
      this.#create(keyName, { signal: until })
    try {
      const given = { name: 'create', provider: 'by-context', signal, network }
      const made = this.#checked(await askCallback<unknown>(ask, given))
      if (stamp !== this.#stamp) return made
      // Two may have been made where one call did not wait for the other: circuits must not be split.
      const first = this.#held.get(keyName)
      if (first === undefined) this.#held.set(keyName, made)
      this.#failures.delete(keyName)
      return first ?? made
    } catch (thrown) {
      const error = typedError(thrown, 'ERR_KMS_UNAVAILABLE', signal)
      if (stamp === this.#stamp) this.#failures.set(keyName, { error, atMs: runtime.now() })
      throw error
    }
  }

  #checked(made: unknown): KeyManagementService {
    if (typeof (made as Partial<KeyManagementService> | null | undefined)?.canUnwrap !== 'function')
      throw optionError('create', 'must answer a KeyManagementService')
    const kms = serviceOf('create', made)
    this.#check(kms)
    return kms
  }
}
