import { isKmsError } from '../../errors.ts'
import { type JsonObject, stringField } from '../../http/index.ts'
import type { KeyLifecycleOptions } from '../../kms/index.ts'
import { versionIn } from './key-id.ts'
import { invalidAnswer, type VaultClient } from './vault-client.ts'

/** Versions of one key that are read: a key that rotates daily has so many after 27 years. */
const MAX_PAGES = 400

/** A version, as Key Vault reports it. */
export interface VersionFacts {
  readonly version: string
  readonly enabled: boolean
}

/** A key that was deleted and can be recovered. */
export interface DeletedKey {
  readonly purgeAtMs: number | undefined
}

/** The administration of one key, with its answers checked. */
export class KeyAdminApi {
  readonly #key: VaultClient
  readonly #deleted: VaultClient
  readonly #keyId: string

  /** @param deleted - of the URL of the key once it is deleted */
  constructor(key: VaultClient, deleted: VaultClient, keyId: string) {
    this.#key = key
    this.#deleted = deleted
    this.#keyId = keyId
  }

  /** @param version - 32 hex digits */
  async version(version: string, { signal }: KeyLifecycleOptions): Promise<VersionFacts> {
    const call = { method: 'GET', operation: 'get', path: `/${version}`, signal } as const
    return this.#factsOf(await this.#key.call(call), version)
  }

  /** @param version - 32 hex digits */
  async setEnabled(
    version: string,
    enabled: boolean,
    { signal }: KeyLifecycleOptions,
  ): Promise<void> {
    const input = { attributes: { enabled } }
    const call = { method: 'PATCH', operation: 'update', path: `/${version}`, input } as const
    const answer = this.#factsOf(await this.#key.call({ ...call, signal }), version)
    if (answer.enabled !== enabled) throw invalidAnswer('Azure did not change the version')
  }

  /** Returns all versions; none for a key that does not exist, as Key Vault answers. */
  async versions({ signal }: KeyLifecycleOptions): Promise<readonly VersionFacts[]> {
    const found: VersionFacts[] = []
    let query: string | undefined
    for (let pages = 0; pages < MAX_PAGES; pages += 1) {
      const call = { method: 'GET', operation: 'list', path: '/versions', signal } as const
      const answer = await this.#key.call({ ...call, ...(query !== undefined && { query }) })
      const { value } = answer
      if (!Array.isArray(value)) throw invalidAnswer('the answer has no list')
      for (const one of value as readonly JsonObject[]) found.push(this.#listed(one))
      query = this.#nextPage(answer)
      if (query === undefined) return found
    }
    throw invalidAnswer('the list of versions has no end')
  }

  /** Soft: the key can be recovered. */
  async delete({ signal }: KeyLifecycleOptions): Promise<DeletedKey> {
    const call = { method: 'DELETE', operation: 'delete', path: '', signal } as const
    return deletedOf(await this.#key.call(call))
  }

  /** Returns the key if it is deleted, else `undefined`. */
  async deleted({ signal }: KeyLifecycleOptions): Promise<DeletedKey | undefined> {
    try {
      const call = { method: 'GET', operation: 'getDeleted', path: '', signal } as const
      return deletedOf(await this.#deleted.call(call))
    } catch (error) {
      if (isKmsError(error, 'ERR_KMS_KEY_NOT_FOUND')) return undefined
      throw error
    }
  }

  async recover({ signal }: KeyLifecycleOptions): Promise<void> {
    const call = { method: 'POST', operation: 'recover', path: '/recover', input: {} } as const
    await this.#deleted.call({ ...call, signal })
  }

  #factsOf(answer: JsonObject, version: string): VersionFacts {
    const { kid } = (answer['key'] ?? {}) as JsonObject
    if (versionIn(String(kid), this.#keyId) !== version)
      throw invalidAnswer('the answer has another version')
    return { version, enabled: isEnabled(answer) }
  }

  #listed(entry: JsonObject): VersionFacts {
    const version = versionIn(stringField(entry, 'kid'), this.#keyId)
    if (version === undefined) throw invalidAnswer('the list has another key')
    return { version, enabled: isEnabled(entry) }
  }

  /** Returns the place where the next page begins. Nothing else of Azure's link is used. */
  #nextPage({ nextLink }: JsonObject): string | undefined {
    if (nextLink === null || nextLink === undefined || nextLink === '') return undefined
    const isLink = typeof nextLink === 'string' && URL.canParse(nextLink)
    const token = isLink ? new URL(nextLink).searchParams.get('$skiptoken') : null
    if (token === null) throw invalidAnswer('the link to the next page has no $skiptoken')
    return `maxresults=25&$skiptoken=${encodeURIComponent(token)}`
  }
}

function isEnabled(entry: JsonObject): boolean {
  const { enabled } = (entry['attributes'] ?? {}) as JsonObject
  if (typeof enabled === 'boolean') return enabled
  throw invalidAnswer('the answer does not say whether the version is enabled')
}

function deletedOf({ scheduledPurgeDate: seconds }: JsonObject): DeletedKey {
  return { purgeAtMs: typeof seconds === 'number' ? seconds * 1_000 : undefined }
}
