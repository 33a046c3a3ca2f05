import { KmsError } from '../../errors.ts'
import {
  CANCEL_FIRST,
  demandOwnKek,
  demandState,
  DISABLE_FIRST,
  type KekVersion,
  type KeyLifecycle,
  type KeyLifecycleOptions,
  type KeyVersionState,
  NOT_SCHEDULED,
  type ScheduledDestruction,
  unsupportedStep,
} from '../../kms/index.ts'
import { isVersion } from './key-id.ts'
import type { DeletedKey, KeyAdminApi, VersionFacts } from './key-admin-api.ts'
import { PROVIDER } from './vault-client.ts'

/** A version or a whole key. */
interface Subject {
  readonly state: KeyVersionState
  /** The versions that are meant. */
  readonly versions: readonly VersionFacts[]
  readonly deleted?: DeletedKey
}

/** {@link KeyLifecycle} of one key of Azure Key Vault or Managed HSM. */
export class AzureKeyLifecycle implements KeyLifecycle {
  readonly provider: string = PROVIDER
  readonly #api: KeyAdminApi
  readonly #keyId: string

  constructor(api: KeyAdminApi, keyId: string) {
    this.#api = api
    this.#keyId = keyId
  }

  async stateOf(version: KekVersion, options: KeyLifecycleOptions = {}): Promise<KeyVersionState> {
    return (await this.#find(version, options)).state
  }

  disable(version: KekVersion, options: KeyLifecycleOptions = {}): Promise<void> {
    return this.#setEnabled(version, false, options)
  }

  enable(version: KekVersion, options: KeyLifecycleOptions = {}): Promise<void> {
    return this.#setEnabled(version, true, options)
  }

  async scheduleDestruction(
    version: KekVersion,
    options: KeyLifecycleOptions = {},
  ): Promise<ScheduledDestruction> {
    options.signal?.throwIfAborted()
    this.#demandWhole(version)
    const { state, deleted } = await this.#find(version, options)
    if (deleted === undefined) demandState(PROVIDER, state, ['disabled'], DISABLE_FIRST)
    const { purgeAtMs } = deleted ?? (await this.#api.delete(options))
    return purgeAtMs === undefined ? {} : { destroyAtMs: purgeAtMs }
  }

  async cancelDestruction(version: KekVersion, options: KeyLifecycleOptions = {}): Promise<void> {
    this.#demandWhole(version)
    const { state } = await this.#find(version, options)
    demandState(PROVIDER, state, ['pending-destruction'], NOT_SCHEDULED)
    await this.#api.recover(options)
  }

  async #setEnabled(
    version: KekVersion,
    enabled: boolean,
    options: KeyLifecycleOptions,
  ): Promise<void> {
    const { state, versions } = await this.#find(version, options)
    demandState(PROVIDER, state, ['enabled', 'disabled'], CANCEL_FIRST)
    for (const one of versions)
      if (one.enabled !== enabled) await this.#api.setEnabled(one.version, enabled, options)
  }

  async #find(version: KekVersion, options: KeyLifecycleOptions): Promise<Subject> {
    options.signal?.throwIfAborted()
    demandOwnKek({ provider: PROVIDER, kekId: this.#keyId }, version)
    const { kekVersion } = version
    if (kekVersion === '') return this.#findWhole(options)
    if (!isVersion(kekVersion))
      throw unsupportedStep(
        PROVIDER,
        'the version must be 32 hex digits, or empty for the whole key',
      )
    const found = await this.#api.version(kekVersion, options)
    return { state: found.enabled ? 'enabled' : 'disabled', versions: [found] }
  }

  /** One version that is enabled makes the whole key enabled. */
  async #findWhole(options: KeyLifecycleOptions): Promise<Subject> {
    const versions = await this.#api.versions(options)
    const isEnabled = versions.some(({ enabled }) => enabled)
    if (versions.length > 0) return { state: isEnabled ? 'enabled' : 'disabled', versions }
    const deleted = await this.#api.deleted(options)
    if (deleted !== undefined) return { state: 'pending-destruction', versions, deleted }
    const message = 'the vault does not have a key of this name, not even a deleted one'
    throw new KmsError('ERR_KMS_KEY_NOT_FOUND', { provider: PROVIDER, message })
  }

  #demandWhole({ kekVersion }: KekVersion): void {
    if (kekVersion === '') return
    throw unsupportedStep(
      PROVIDER,
      'Azure deletes whole keys only: leave the version disabled, or retire the whole key with an empty kekVersion',
    )
  }
}
