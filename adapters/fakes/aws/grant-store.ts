import { encodeBase64 } from '../../../src/bytes/index.ts'
import type { Grant, GrantTerms } from './grant-rules.ts'
import type { StoredKey } from './key-store.ts'
import { hex, randomBytes } from './primitives.ts'

/** Tokens that a test gave to the fake, with the actions that each permits on any key. */
export type ScriptedTokens = Readonly<Record<string, readonly string[]>>

/** Grants in force, and their tokens. A grant works at once; at AWS that may take five minutes. */
export class GrantStore {
  readonly #grants = new Map<string, Grant>()
  readonly #tokens = new Map<string, string>()
  readonly #scripted: ScriptedTokens

  constructor(scripted: ScriptedTokens = {}) {
    this.#scripted = scripted
  }

  /** Adds a grant. One of this name with the same terms is returned instead: a retry makes no second. */
  add(grant: Omit<Grant, 'id'>): Grant {
    const twin = this.on(grant.key).find(
      (one) => one.name !== undefined && termsText(one) === termsText(grant),
    )
    if (twin !== undefined) return twin
    const added = { ...grant, id: hex(randomBytes(32)) }
    this.#grants.set(added.id, added)
    return added
  }

  /** Returns a new token of a grant; those from before stay valid. */
  newToken({ id }: Grant): string {
    const token = encodeBase64(randomBytes(96))
    this.#tokens.set(token, id)
    return token
  }

  /** Returns the grant with this id on this key. */
  find(key: StoredKey, id: string): Grant | undefined {
    const grant = this.#grants.get(id)
    return grant?.key === key ? grant : undefined
  }

  /** Returns the grant that a token stands for. */
  byToken(token: string): Grant | undefined {
    return this.#grants.get(this.#tokens.get(token) ?? '')
  }

  /** Returns the grants on a key, oldest first. */
  on(key: StoredKey): readonly Grant[] {
    return this.all().filter((grant) => grant.key === key)
  }

  all(): readonly Grant[] {
    return [...this.#grants.values()]
  }

  /** Ends a grant and all of its tokens. */
  remove({ id }: Grant): void {
    this.#grants.delete(id)
    for (const [token, of] of this.#tokens) if (of === id) this.#tokens.delete(token)
  }

  knows(token: string): boolean {
    return Object.hasOwn(this.#scripted, token) || this.byToken(token) !== undefined
  }

  /** Returns whether a test said that a token permits an action. */
  isScripted(token: string, action: string): boolean {
    return (
      Object.hasOwn(this.#scripted, token) && (this.#scripted[token]?.includes(action) ?? false)
    )
  }
}

/** The terms as a text to compare; neither the order of operations nor that of pairs counts. */
function termsText({ grantee, retiring, operations, constraints, name }: GrantTerms): string {
  const pairs = (context = {}): unknown => Object.entries(context).sort()
  return JSON.stringify([
    name,
    grantee,
    retiring,
    [...operations].sort(),
    constraints.subset && pairs(constraints.subset),
    constraints.equals && pairs(constraints.equals),
  ])
}
