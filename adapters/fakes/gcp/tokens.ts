import { encodeBase64Url } from '../../../src/bytes/index.ts'
import { randomBytes } from '../aws/primitives.ts'
import { isSignedBy, parseJwt } from '../azure/jwt.ts'
import { Refusal } from './errors.ts'
import type { FakeGcpPolicy, FakeGcpServiceAccount } from './options.ts'

/** The maker of a call. */
export interface Principal {
  /** An e-mail address, or `principal://…` of a workload identity pool. */
  readonly id: string
  readonly policy: FakeGcpPolicy
}

/** A token that was issued. */
interface IssuedToken {
  readonly principal: Principal
  readonly expiresAtMs: number
}

/** How far the clocks may be apart. */
const MAX_SKEW_SECONDS = 300

/** Service accounts, their keys, and the tokens that are about. */
export class Tokens {
  readonly #accounts: ReadonlyMap<string, FakeGcpServiceAccount>
  readonly #keys = new Map<string, { readonly email: string; readonly publicKey: JsonWebKey }>()
  readonly #issued = new Map<string, IssuedToken>()
  readonly #services: readonly string[]

  constructor(accounts: readonly FakeGcpServiceAccount[], services: readonly string[]) {
    this.#accounts = new Map(accounts.map((account) => [account.email, account]))
    this.#services = services
  }

  account(email: string): FakeGcpServiceAccount | undefined {
    return this.#accounts.get(email)
  }

  principalOf({ email, policy = {} }: FakeGcpServiceAccount): Principal {
    return { id: email, policy }
  }

  /** @returns the key's id */
  addKey(email: string, publicKey: JsonWebKey): string {
    const id = [...randomBytes(20)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
    this.#keys.set(id, { email, publicKey })
    return id
  }

  issue(principal: Principal, expiresAtMs: number): string {
    const token = `ya29.fake-${encodeBase64Url(randomBytes(48))}`
    this.#issued.set(token, { principal, expiresAtMs })
    return token
  }

  /**
   * Returns the owner of a token: of one that was issued here, or a JWT that a service account signed for itself.
   *
   * @throws Refusal `unauthenticated`, `expiredToken`
   */
  async verify(token: string, nowMs: number): Promise<Principal> {
    const issued = this.#issued.get(token)
    if (issued === undefined) return this.#selfSigned(token, nowMs)
    if (nowMs >= issued.expiresAtMs) throw new Refusal('expiredToken')
    return issued.principal
  }

  /** @see https://google.aip.dev/auth/4111 */
  async #selfSigned(token: string, nowMs: number): Promise<Principal> {
    const audiences = this.#services.flatMap((host) => [`https://${host}/`, `https://${host}`])
    const claims = await this.assertion(token, nowMs)
    const isFor = audiences.includes(String(claims?.['aud'])) || claims?.['aud'] === undefined
    const hasScope = typeof claims?.['scope'] === 'string'
    const account = this.#accounts.get(String(claims?.['iss']))
    if (account === undefined || !isFor || (claims?.['aud'] === undefined && !hasScope))
      throw new Refusal('unauthenticated')
    return this.principalOf(account)
  }

  /** The claims of a JWT that a service account signed, of an hour at most and valid now. */
  async assertion(
    token: string,
    nowMs: number,
  ): Promise<Readonly<Record<string, unknown>> | undefined> {
    const jwt = parseJwt(token)
    const key = jwt === undefined ? undefined : this.#keys.get(String(jwt.header['kid']))
    if (jwt === undefined || key === undefined || jwt.header['alg'] !== 'RS256') return undefined
    if (!(await isSignedBy(jwt, [key.publicKey]))) return undefined
    const { iss, iat, exp } = jwt.claims
    if (iss !== key.email || typeof iat !== 'number' || typeof exp !== 'number') return undefined
    const now = Math.floor(nowMs / 1_000)
    const fresh = iat <= now + MAX_SKEW_SECONDS && now < exp + MAX_SKEW_SECONDS
    return fresh && exp - iat <= 3_600 ? jwt.claims : undefined
  }
}
