import { KmsError, type Outcome, settle } from '../errors.ts'
import {
  areVersions,
  checkAnswer,
  contextId,
  type EncryptionContext,
  type KekVersion,
  type KeyManagementService,
  typedCall,
} from '../kms/index.ts'
import type { Network, Runtime } from '../ports/index.ts'
import { BoundedMap, withTimeout } from '../runtime/index.ts'

/** How long an answer is used: a rotation of the KEK while the job runs is noticed after this. */
const MEMO_MS = 10_000
const MAX_CONTEXTS = 1_000

/** Ports and bounds of the calls of a rotation. */
export interface CallPorts {
  readonly runtime: Pick<Runtime, 'now'>
  readonly network: Network
  readonly callTimeoutMs: number
}

/** The versions that the KEKs of a context wrap with now. */
export class CurrentKeks {
  /** The context of a call picks its KEK. */
  readonly byContext: boolean
  readonly #kms: KeyManagementService
  readonly #ports: CallPorts
  readonly #memo = new BoundedMap<
    string,
    { readonly versions: readonly KekVersion[]; readonly atMs: number }
  >(MAX_CONTEXTS)

  constructor(kms: KeyManagementService, ports: CallPorts) {
    this.#kms = kms
    this.#ports = ports
    this.byContext = kms.capabilities.keksByContext === true
  }

  /**
   * Returns the current versions; for a context, where the context picks the KEK.
   *
   * @throws KmsError the KMS's error, `ERR_KMS_TIMEOUT`, `ERR_KMS_RESPONSE_INVALID`
   */
  async of(
    context: EncryptionContext | undefined,
    signal: AbortSignal | undefined,
  ): Promise<readonly KekVersion[]> {
    const id = this.#idOf(context)
    const now = this.#ports.runtime.now()
    const known = this.#memo.get(id)
    if (known !== undefined && now >= known.atMs && now - known.atMs < MEMO_MS)
      return known.versions
    const versions = await this.#ask('currentVersion', context, signal)
    this.#memo.set(id, { versions, atMs: now })
    return versions
  }

  /**
   * Makes a new version of each KEK current, and returns the versions. After `ERR_KMS_TIMEOUT` there may be a new one.
   *
   * @throws KmsError as {@link CurrentKeks.of}, and `ERR_KMS_UNSUPPORTED`
   */
  async rotate(
    context: EncryptionContext | undefined,
    signal: AbortSignal | undefined,
  ): Promise<readonly KekVersion[]> {
    try {
      return await this.#ask('rotateKey', context, signal)
    } finally {
      this.forget()
    }
  }

  /** As {@link CurrentKeks.of}; a failure of the KMS is an outcome. */
  outcome(
    context: EncryptionContext | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Outcome<readonly KekVersion[]>> {
    return settle(() => this.of(context, signal))
  }

  /** Returns a text that is equal for contexts of the same KEKs. */
  #idOf(context: EncryptionContext | undefined): string {
    return this.byContext ? contextId(context) : ''
  }

  /** The next call asks the KMS. */
  forget(): void {
    this.#memo.clear()
  }

  async #ask(
    operation: 'currentVersion' | 'rotateKey',
    context: EncryptionContext | undefined,
    signal: AbortSignal | undefined,
  ): Promise<readonly KekVersion[]> {
    const { network, callTimeoutMs: timeoutMs } = this.#ports
    const provider = this.#kms.providerName
    const error = (): KmsError => new KmsError('ERR_KMS_TIMEOUT', { provider, operation })
    const ask = (until: AbortSignal): Promise<readonly KekVersion[]> =>
      typedCall(signal, () => this.#kms[operation]({ signal: until, context }))
    const answer = await withTimeout(ask, { timeoutMs, signal, network, error })
    return checkAnswer(provider, answer, (versions) => areVersions(versions) && versions.length > 0)
  }
}
