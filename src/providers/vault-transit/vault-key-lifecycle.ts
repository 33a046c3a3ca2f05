import type { VaultClient } from '../../credentials/vault/index.ts'
import { KmsError } from '../../errors.ts'
import type { JsonObject } from '../../http/index.ts'
import {
  CANCEL_FIRST,
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
import { PROVIDER } from './transit-api.ts'

/** The bounds of a key's versions. */
interface Bounds {
  readonly latest: number
  /** The lowest version that decrypts. */
  readonly decrypts: number
  /** The lowest version that encrypts; 0: only the latest. */
  readonly encrypts: number
  /** The lowest version that was not destroyed; 0: none was. */
  readonly available: number
}

/** {@link KeyLifecycle} of the versions of one transit key. */
export class VaultKeyLifecycle implements KeyLifecycle {
  readonly provider: string = PROVIDER
  readonly #client: VaultClient
  readonly #path: string
  readonly #name: string
  readonly #kekId: string

  /** @param path - of the key, from the configuration */
  constructor(client: VaultClient, path: string, name: string, kekId: string) {
    this.#client = client
    this.#path = path
    this.#name = name
    this.#kekId = kekId
  }

  async stateOf(version: KekVersion, options: KeyLifecycleOptions = {}): Promise<KeyVersionState> {
    const number = this.#numberOf(version)
    return stateIn(await this.#bounds(options), number)
  }

  async disable(version: KekVersion, options: KeyLifecycleOptions = {}): Promise<void> {
    const number = this.#numberOf(version)
    const bounds = await this.#bounds(options)
    const state = stateIn(bounds, number)
    if (state === 'disabled') return
    demandState(PROVIDER, state, ['enabled'], CANCEL_FIRST)
    const { decrypts, latest } = bounds
    if (number !== decrypts)
      throw refused(`would disable versions ${range(decrypts, number)}: begin with the lowest`)
    if (number === latest) throw refused('would disable the latest version: rotate the key first')
    await this.#configure(bounds, number + 1, options)
  }

  async enable(version: KekVersion, options: KeyLifecycleOptions = {}): Promise<void> {
    const number = this.#numberOf(version)
    const bounds = await this.#bounds(options)
    const state = stateIn(bounds, number)
    if (state === 'enabled') return
    demandState(PROVIDER, state, ['disabled'], 'a destroyed version cannot be restored')
    const { decrypts } = bounds
    if (number !== decrypts - 1)
      throw refused(`would enable versions ${range(number, decrypts - 1)}: begin with the highest`)
    await this.#configure(bounds, number, options)
  }

  async scheduleDestruction(
    version: KekVersion,
    options: KeyLifecycleOptions = {},
  ): Promise<ScheduledDestruction> {
    const number = this.#numberOf(version)
    const bounds = await this.#bounds(options)
    const state = stateIn(bounds, number)
    if (state === 'destroyed') return {}
    demandState(PROVIDER, state, ['disabled'], DISABLE_FIRST)
    const lowest = Math.max(1, bounds.available)
    if (number !== lowest)
      throw refused(`would destroy versions ${range(lowest, number)}: begin with the lowest`)
    // Transit trims only below min_encryption_version, and 0 counts as not set.
    if (bounds.encrypts <= number)
      await this.#post('config', { min_encryption_version: bounds.decrypts }, options)
    await this.#post('trim', { min_available_version: number + 1 }, options)
    return {}
  }

  cancelDestruction(version: KekVersion): Promise<void> {
    this.#numberOf(version)
    const message = 'transit destroys at once: a destroyed version cannot be restored'
    return Promise.reject(unsupportedStep(PROVIDER, message))
  }

  /** Sets the lowest version that decrypts; what encrypts may not be lower. */
  #configure({ encrypts }: Bounds, decrypts: number, options: KeyLifecycleOptions): Promise<void> {
    const raised = encrypts > 0 && encrypts < decrypts && { min_encryption_version: decrypts }
    return this.#post('config', { min_decryption_version: decrypts, ...raised }, options)
  }

  async #post(
    operation: 'config' | 'trim',
    body: JsonObject,
    { signal }: KeyLifecycleOptions,
  ): Promise<void> {
    const path = `${this.#path}/${operation}`
    await this.#client.call({ operation, method: 'POST', path, body, signal })
  }

  async #bounds({ signal }: KeyLifecycleOptions): Promise<Bounds> {
    signal?.throwIfAborted()
    const path = this.#path
    const call = { operation: 'keys', method: 'GET', path, signal } as const
    const data = ((await this.#client.call(call))['data'] ?? {}) as JsonObject
    const numberIn = (name: string): number => {
      const value = data[name]
      if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
      throw invalid(`the answer has no ${name}`)
    }
    if (data['name'] !== this.#name) throw invalid('the answer has another key')
    return {
      latest: numberIn('latest_version'),
      decrypts: Math.max(1, numberIn('min_decryption_version')),
      encrypts: numberIn('min_encryption_version'),
      available: numberIn('min_available_version'),
    }
  }

  #numberOf(version: KekVersion): number {
    demandOwnKek({ provider: PROVIDER, kekId: this.#kekId }, version)
    const { kekVersion } = version
    if (/^[1-9]\d{0,9}$/.test(kekVersion)) return Number(kekVersion)
    throw refused('retires the versions of a key one by one: name a version')
  }
}

/** @throws KmsError `ERR_KMS_KEY_NOT_FOUND` */
function stateIn({ latest, decrypts, available }: Bounds, number: number): KeyVersionState {
  if (number > latest) {
    const message = `the key has no version ${String(number)}, its latest is ${String(latest)}`
    throw new KmsError('ERR_KMS_KEY_NOT_FOUND', { provider: PROVIDER, message })
  }
  if (number < available) return 'destroyed'
  return number < decrypts ? 'disabled' : 'enabled'
}

function range(from: number, to: number): string {
  return `${String(from)} to ${String(to)}`
}

function refused(says: string): KmsError {
  return unsupportedStep(PROVIDER, `Vault ${says}`)
}

function invalid(message: string): KmsError {
  return new KmsError('ERR_KMS_RESPONSE_INVALID', { message, provider: PROVIDER })
}
