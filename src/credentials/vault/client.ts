import { KmsError } from '../../errors.ts'
import { type JsonObject, parseJsonObject } from '../../http/index.ts'
import type { FlightOptions, Refreshing } from '../../runtime/index.ts'
import { type VaultErrorRow, vaultFailure } from './errors.ts'
import { tokensOf } from './renew.ts'
import type { VaultLogin, VaultToken } from './token.ts'
import { NO_OBJECT, type VaultHttp, type VaultRequest } from './vault-http.ts'

/** One call. */
export interface VaultCall extends FlightOptions, Pick<VaultRequest, 'method' | 'path' | 'body'> {
  readonly operation: string
  /** Whether an answer with an error's status is one that the caller reads: batches have those. */
  readonly reads?: (answer: JsonObject) => boolean
  readonly hasAttemptTimeout?: boolean | undefined
}

/**
 * A token younger than this is not the reason of a refusal. Vault says 403 for a token that it does
 * not know and for one whose policies do not allow the call, and every login costs it a lease.
 */
const YOUNG_MS = 10_000

/** Calls to one Vault under a token, which is renewed, and logged in for once more where it is refused. */
export class VaultClient {
  readonly #vault: VaultHttp
  readonly #tokens: Refreshing<VaultToken>
  readonly #provider: string
  readonly #errors: readonly VaultErrorRow[]

  constructor(
    vault: VaultHttp,
    auth: VaultLogin,
    { provider, errors }: { readonly provider: string; readonly errors: readonly VaultErrorRow[] },
  ) {
    this.#vault = vault
    this.#tokens = tokensOf(vault, auth)
    this.#provider = provider
    this.#errors = errors
  }

  /** @throws KmsError for an error answer, and where the answer does not come */
  async call(call: VaultCall): Promise<JsonObject> {
    const { signal, defer, operation, reads, ...request } = call
    const { runtime } = this.#vault.ports
    const facts = { provider: this.#provider, operation }
    let token = await this.#tokens.get({ signal, defer })
    for (let isSecond = false; ; isSecond = true) {
      const response = await this.#vault.send({ ...request, token: token.clientToken, signal })
      const { status, body } = response
      if (status === 204) return {}
      const answer = parseJsonObject(body)
      if (answer !== undefined && (status === 200 || reads?.(answer) === true)) return answer
      if (status === 200)
        throw new KmsError('ERR_KMS_RESPONSE_INVALID', { ...facts, message: NO_OBJECT })
      const nowMs = runtime.now()
      const error = vaultFailure(response, this.#errors, { ...facts, nowMs })
      if (status !== 403 || isSecond || nowMs - token.issuedAtMs < YOUNG_MS) throw error
      this.#tokens.refused(token)
      const next = await this.#tokens.get({ signal, defer })
      if (next.clientToken === token.clientToken) throw error
      token = next
    }
  }
}
