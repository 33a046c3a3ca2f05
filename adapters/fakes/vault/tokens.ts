import type {
  FakeVaultCapability,
  FakeVaultDefect,
  FakeVaultPolicy,
  FakeVaultToken,
  FakeVaultTokenOptions,
} from './options.ts'
import { denied, Refusal } from './refusal.ts'

/** A token that the server knows. */
export interface StoredToken {
  readonly id: string
  readonly accessor: string
  readonly policy: FakeVaultPolicy | undefined
  readonly issuedAtMs: number
  /** 0: none. */
  readonly maxTtlSeconds: number
  readonly ttlSeconds: number
  readonly renewable: boolean
  expiresAtMs: number
}

/** Tokens, and what they may do. */
export class Tokens {
  readonly #tokens = new Map<string, StoredToken>()
  readonly #now: () => number
  readonly #defects: ReadonlySet<FakeVaultDefect>

  constructor(
    tokens: readonly FakeVaultToken[],
    now: () => number,
    defects: ReadonlySet<FakeVaultDefect>,
  ) {
    this.#now = now
    this.#defects = defects
    for (const { token, ...options } of tokens) this.issue(options, token)
  }

  issue(options: FakeVaultTokenOptions, id: string = `hvs.${randomText(24)}`): StoredToken {
    const { ttlSeconds = 0, maxTtlSeconds = 0, renewable = ttlSeconds > 0, policy } = options
    const issuedAtMs = this.#now()
    const token = {
      id,
      accessor: randomText(24),
      policy,
      issuedAtMs,
      ttlSeconds,
      maxTtlSeconds,
      renewable,
      expiresAtMs: ttlSeconds === 0 ? Infinity : issuedAtMs + ttlSeconds * 1_000,
    }
    this.#tokens.set(id, token)
    return token
  }

  /** @throws Refusal 403 */
  find(id: string | null): StoredToken {
    const token = this.#tokens.get(id ?? '')
    const isOver =
      (token?.expiresAtMs ?? 0) <= this.#now() && !this.#defects.has('accepts-expired-tokens')
    if (token === undefined || isOver) throw denied()
    return token
  }

  /** A new lease, cut at the token's maximum. @throws Refusal 400, 403 */
  renew(token: StoredToken): { readonly seconds: number; readonly isCut: boolean } {
    if (!token.renewable) throw new Refusal(400, 'lease is not renewable')
    const now = this.#now()
    const endless = token.maxTtlSeconds === 0 || this.#defects.has('renews-past-max-ttl')
    const left = endless
      ? Infinity
      : Math.floor((token.issuedAtMs + token.maxTtlSeconds * 1_000 - now) / 1_000)
    const seconds = Math.min(token.ttlSeconds, left)
    token.expiresAtMs = now + seconds * 1_000
    return { seconds, isCut: seconds < token.ttlSeconds }
  }

  revoke(id: string): void {
    this.#tokens.delete(id)
  }

  /** @throws Refusal 403 */
  authorize(token: StoredToken, path: string, capability: FakeVaultCapability): void {
    const { policy } = token
    if (policy === undefined || this.#defects.has('ignores-policies')) return
    const [best] = Object.keys(policy)
      .filter((pattern) => matches(pattern, path))
      .sort((a, b) => b.length - a.length)
    if (best === undefined || policy[best]?.includes(capability) !== true) throw denied()
  }
}

function matches(pattern: string, path: string): boolean {
  return pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern
}

/** A random text of so many letters and digits. */
export function randomText(length: number): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789ab'
  const bytes = crypto.getRandomValues(new Uint8Array(length))
  return Array.from(bytes, (byte) => alphabet.charAt(byte & 63)).join('')
}
