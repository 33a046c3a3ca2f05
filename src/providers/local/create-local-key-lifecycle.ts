import { demandMethods, plainOptions, refuseOthers } from '../../checks/index.ts'
import { KmsError } from '../../errors.ts'
import {
  demandOwnKek,
  demandState,
  DISABLE_FIRST,
  type KekVersion,
  type KeyLifecycle,
  type KeyLifecycleOptions,
  type KeyVersionState,
  type ScheduledDestruction,
  unsupportedStep,
} from '../../kms/index.ts'
import type { Network } from '../../ports/index.ts'
import { askCallback, webNetwork } from '../../runtime/index.ts'

const PROVIDER = 'local'
const STATES: readonly (KeyVersionState | undefined)[] = [
  'enabled',
  'disabled',
  'destroyed',
  undefined,
]

/**
 * The place where the keys of a local KMS are kept, e.g. a secret manager. A version is enabled while it is in the
 * configuration of any process, disabled once it is in none and only your backup has it, and destroyed once no copy
 * is left.
 */
export interface LocalKeyPlace {
  /** Returns the state of a version; `undefined` for a version that never existed. */
  stateOf(
    version: number,
    options: KeyLifecycleOptions,
  ): Promise<'enabled' | 'disabled' | 'destroyed' | undefined>
  /** Takes a version out of every configuration, e.g. `EDGE_KMS_KEY_V1`, and keeps a copy of it. */
  disable(version: number, options: KeyLifecycleOptions): Promise<void>
  /** Puts the copy back into the configuration. */
  enable(version: number, options: KeyLifecycleOptions): Promise<void>
  /** Deletes the last copy. */
  destroy(version: number, options: KeyLifecycleOptions): Promise<void>
}

/** Options of {@link createLocalKeyLifecycle}. */
export interface LocalKeyLifecycleOptions {
  /** As `kekId` of `createLocalKms`; `app` by default. */
  readonly kekId?: string
  readonly keys: LocalKeyPlace
  /** Timers. Each call to `keys` ends within 10 s. */
  readonly network?: Network
}

/**
 * Returns a lifecycle of the versions of a local key. No server is involved: your functions move the keys, and the
 * lifecycle enforces the order of the steps. Without such functions, retire a local version by hand: take it out of
 * the configuration once `KeyRotationManager.census` finds nothing under it.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 *
 * @example
 * ```ts
 * import { createLocalKeyLifecycle, type LocalKeyPlace } from 'edge-kms/local'
 *
 * export const lifecycleOf = (secretManager: LocalKeyPlace) =>
 *   createLocalKeyLifecycle({ keys: secretManager })
 * ```
 */
export function createLocalKeyLifecycle(options: LocalKeyLifecycleOptions): KeyLifecycle {
  const { kekId = 'app', keys, network = webNetwork, ...others } = plainOptions(options)
  refuseOthers(others)
  demandMethods('keys', keys, ['stateOf', 'disable', 'enable', 'destroy'])
  return new LocalKeyLifecycle(keys, kekId, network)
}

class LocalKeyLifecycle implements KeyLifecycle {
  readonly provider: string = PROVIDER
  readonly #keys: LocalKeyPlace
  readonly #kekId: string
  readonly #network: Network

  constructor(keys: LocalKeyPlace, kekId: string, network: Network) {
    this.#keys = keys
    this.#kekId = kekId
    this.#network = network
  }

  async stateOf(version: KekVersion, options: KeyLifecycleOptions = {}): Promise<KeyVersionState> {
    const state = await this.#ask('stateOf', version, options)
    if (!STATES.includes(state)) {
      const message = 'keys.stateOf must answer enabled, disabled, destroyed or undefined'
      throw new KmsError('ERR_KMS_RESPONSE_INVALID', { provider: PROVIDER, message })
    }
    if (state !== undefined) return state
    const message = `the local key has no version ${version.kekVersion}`
    throw new KmsError('ERR_KMS_KEY_NOT_FOUND', { provider: PROVIDER, message })
  }

  disable(version: KekVersion, options: KeyLifecycleOptions = {}): Promise<void> {
    return this.#switch('disable', version, options)
  }

  enable(version: KekVersion, options: KeyLifecycleOptions = {}): Promise<void> {
    return this.#switch('enable', version, options)
  }

  async scheduleDestruction(
    version: KekVersion,
    options: KeyLifecycleOptions = {},
  ): Promise<ScheduledDestruction> {
    const state = await this.stateOf(version, options)
    if (state === 'destroyed') return {}
    demandState(PROVIDER, state, ['disabled'], DISABLE_FIRST)
    await this.#ask('destroy', version, options)
    return {}
  }

  cancelDestruction(): Promise<void> {
    const message = 'a local key is destroyed at once: it cannot be restored'
    return Promise.reject(unsupportedStep(PROVIDER, message))
  }

  async #switch(
    to: 'enable' | 'disable',
    version: KekVersion,
    options: KeyLifecycleOptions,
  ): Promise<void> {
    const state = await this.stateOf(version, options)
    if (state === `${to}d`) return
    demandState(PROVIDER, state, ['enabled', 'disabled'], 'a destroyed version cannot be restored')
    await this.#ask(to, version, options)
  }

  async #ask<M extends keyof LocalKeyPlace>(
    method: M,
    version: KekVersion,
    { signal }: KeyLifecycleOptions,
  ): Promise<Awaited<ReturnType<LocalKeyPlace[M]>>> {
    signal?.throwIfAborted()
    demandOwnKek({ provider: PROVIDER, kekId: this.#kekId }, version)
    const { kekVersion } = version
    if (!/^[1-9]\d{0,9}$/.test(kekVersion))
      throw unsupportedStep(PROVIDER, 'a local version is a number from 1: name a version')
    const ask = (until: AbortSignal): Promise<unknown> =>
      this.#keys[method](Number(kekVersion), { signal: until })
    const bounds = { name: `keys.${method}`, provider: PROVIDER, signal, network: this.#network }
    return (await askCallback(ask, bounds)) as Awaited<ReturnType<LocalKeyPlace[M]>>
  }
}
