import { KmsError } from '../../errors.ts'
import type { KmsSignalOptions } from '../../kms/index.ts'
import type { Network } from '../../ports/index.ts'
import { sleep } from '../../runtime/index.ts'
import { PROVIDER } from './errors.ts'
import type { GcpKmsApi } from './kms-api.ts'

/** How often and for how long a new version is waited for: HSMs take their time. */
const POLLS = 20
const POLL_MS = 500

/** Remembers a key's versions, and makes a new one the primary. */
export class KeyVersions {
  readonly #api: GcpKmsApi
  readonly #network: Network
  /** Versions that Cloud KMS itself has named: never one that only an envelope names. */
  readonly #known: Set<string>
  #primary: string | undefined
  /** Set by the first refusal: without the permission no version can be asked for. */
  #mayNotAsk = false

  constructor(api: GcpKmsApi, network: Network, known: Set<string> = new Set()) {
    this.#known = known
    this.#api = api
    this.#network = network
  }

  /** An answer named this version as the one that encrypts. */
  see(version: string): void {
    this.#known.add(version)
    this.#primary = version
  }

  async askForPrimary(options: KmsSignalOptions): Promise<string> {
    options.signal?.throwIfAborted()
    const version = await this.#api.primaryVersion(options)
    this.see(version)
    return version
  }

  /**
   * Compares a wrap's version with what a Decrypt tells, which is only whether it was the primary.
   * For hours after a rotation the servers may not agree on that: a contradiction alone proves nothing,
   * and the version is asked for.
   *
   * @throws KmsError `ERR_DECRYPT_FAILED` where Cloud KMS has no such version
   */
  async compare(version: string, usedPrimary: boolean, options: KmsSignalOptions): Promise<void> {
    const agrees = this.#primary === undefined || usedPrimary === (version === this.#primary)
    if (agrees || this.#known.has(version) || this.#mayNotAsk) return
    const exists = await this.#api.knowsVersion(version, options)
    if (exists === false) throw new KmsError('ERR_DECRYPT_FAILED')
    if (exists === true) this.#known.add(version)
    else this.#mayNotAsk = true
  }

  /** Makes a version, waits until it can be used, and makes it the primary. */
  async rotate(options: KmsSignalOptions): Promise<string> {
    options.signal?.throwIfAborted()
    const { version, state } = await this.#api.createVersion(options)
    let now = state
    for (let i = 0; now === 'PENDING_GENERATION' && i < POLLS; i++) {
      await sleep(this.#network, POLL_MS, options.signal)
      now = await this.#api.versionState(version, options)
    }
    if (now !== 'ENABLED') {
      const message = `the new version ${version} is ${now === 'PENDING_GENERATION' ? 'still being made' : 'not enabled'}`
      throw new KmsError('ERR_KMS_UNAVAILABLE', { message, provider: PROVIDER })
    }
    await this.#api.makePrimary(version, options)
    this.see(version)
    return version
  }
}
