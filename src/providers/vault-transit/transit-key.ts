import { encodeBase64 } from '../../bytes/index.ts'
import { isKmsError } from '../../errors.ts'
import { encodeKmsContext, type EncryptionContext, type KmsSignalOptions } from '../../kms/index.ts'
import type { VaultTransitKmsOptions } from './options.ts'
import { type Binding, config, type TransitApi } from './transit-api.ts'

/**
 * How contexts are bound to the wraps of one key. Vault ignores a `context` for a key that is not
 * derived, and makes a key that does not exist when it is asked to encrypt under it: so the key is
 * looked at before its first use.
 */
export class TransitKey {
  readonly #api: TransitApi
  readonly #bindBy: VaultTransitKmsOptions['bindBy']
  readonly #stated: boolean | undefined
  #derived: boolean | undefined
  #newest = 0

  constructor(
    api: TransitApi,
    { bindBy, derived }: Pick<VaultTransitKmsOptions, 'bindBy' | 'derived'>,
  ) {
    this.#api = api
    this.#bindBy = bindBy
    this.#stated = derived
  }

  /** The parameters that bind a context: W3's table, `vault-transit`. */
  async bindings(options: KmsSignalOptions): Promise<(context: EncryptionContext) => Binding> {
    options.signal?.throwIfAborted()
    const derived = this.#derived ?? (await this.#look(options))
    return (context) => {
      const bytes = encodeBase64(encodeKmsContext(context))
      if (this.#bindBy === 'derivation') return { context: bytes }
      return { associated_data: bytes, ...(derived && { context: bytes }) }
    }
  }

  /** The latest version, asked for anew. */
  async latest(options: KmsSignalOptions): Promise<number> {
    options.signal?.throwIfAborted()
    return this.learn((await this.#api.keyInfo(options)).latestVersion)
  }

  /** Notes a version that was seen. */
  learn(version: number): number {
    this.#newest = Math.max(this.#newest, version)
    return version
  }

  /** Whether a newer version has been seen; that there is none nobody says. */
  isOutdated(kekVersion: string): boolean {
    return Number(kekVersion) < this.#newest
  }

  async #look(options: KmsSignalOptions): Promise<boolean> {
    const derived = await this.#ask(options)
    if (this.#stated !== undefined && this.#stated !== derived)
      throw config("derived contradicts Vault's answer about the key")
    if (this.#bindBy === 'derivation' && !derived)
      throw config(
        'bindBy derivation requires a derived key: use associated-data, or a derived key',
      )
    return (this.#derived = derived)
  }

  async #ask(options: KmsSignalOptions): Promise<boolean> {
    try {
      const { derived, latestVersion } = await this.#api.keyInfo(options)
      this.learn(latestVersion)
      return derived
    } catch (error) {
      // The configuration is enough where associated data binds in any case.
      const enough = this.#bindBy !== 'derivation' && isKmsError(error, 'ERR_KMS_ACCESS_DENIED')
      if (enough && this.#stated !== undefined) return this.#stated
      throw error
    }
  }
}
