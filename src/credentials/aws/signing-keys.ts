import type { AwsCredentials } from './credentials.ts'

/** Derived keys held for one credentials object: one a day, region and service. */
const MAX_SCOPES = 8

/**
 * The derived keys of Signature Version 4. They are held under the credentials object, in a `WeakMap`,
 * and named by their scope (day, region, service), so that no name holds the secret and the keys go
 * when the credentials go. At most 8 for each credentials object.
 */
export class SigningKeys<Key> {
  readonly #keys = new WeakMap<AwsCredentials, Map<string, Key>>()

  /** Returns the key of this scope, or `undefined`. */
  get(credentials: AwsCredentials, scope: string): Key | undefined {
    return this.#keys.get(credentials)?.get(scope)
  }

  /** Keeps a key. When there are too many, all others of these credentials are dropped. */
  set(credentials: AwsCredentials, scope: string, key: Key): void {
    let held = this.#keys.get(credentials)
    if (held === undefined || held.size >= MAX_SCOPES) {
      held = new Map()
      this.#keys.set(credentials, held)
    }
    held.set(scope, key)
  }
}
