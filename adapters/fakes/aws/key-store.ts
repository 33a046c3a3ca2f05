import type { Bytes } from '../../../src/bytes/index.ts'
import { Refusal } from './errors.ts'
import { type KmsArn, kmsArn, parseKmsArn } from './place.ts'
import { hex, randomBytes } from './primitives.ts'

/** One version of what a key encrypts with. */
export interface KeyMaterial {
  /** 64 hex digits, as KeyMaterialId. */
  readonly id: string
  readonly bytes: Bytes
  /** Imported at its first use. */
  key?: Promise<CryptoKey>
}

/** The part that the keys of a multi-Region set share; every other key has one of its own. */
export interface KeySet {
  readonly keyId: string
  readonly materials: KeyMaterial[]
  onDemandRotations: number
  /** Of automatic rotation, in days. The fake tells the period, and rotates on demand only. */
  rotationDays?: number
}

/** Key states: https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html */
export type KeyState =
  'Enabled' | 'Disabled' | 'PendingDeletion' | 'PendingImport' | 'PendingReplicaDeletion'

/** A KMS key in one region. */
export interface StoredKey {
  readonly region: string
  readonly accountId: string
  readonly arn: string
  readonly spec: string
  readonly usage: string
  readonly origin: string
  readonly createdAtMs: number
  readonly multiRegion?: 'PRIMARY' | 'REPLICA'
  readonly sharedWith: readonly string[]
  readonly set: KeySet
  readonly tags: Map<string, string>
  description: string
  /** The key policy, JSON. It is stored and checked in form; calls are not judged by it. */
  policy: string
  state: KeyState
  pendingWindowDays?: number
  deletionAtMs?: number
  lastUse?: LastUse
}

/** The last successful use of a key, as GetKeyLastUsage tells it. */
export interface LastUse {
  readonly operation: string
  readonly atMs: number
  readonly eventId: string
}

/** The caller and the place of a request. */
export interface Place {
  readonly accountId: string
  readonly region: string
}

const DAY_MS = 86_400_000
const KEY_ID = /^(?:mrk-[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/

/** KMS keys and their aliases. */
export class KeyStore {
  readonly #keys = new Map<string, StoredKey>()
  readonly #aliases = new Map<string, string>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  add(key: StoredKey): StoredKey {
    this.#keys.set(`${key.region} ${key.set.keyId}`, key)
    return key
  }

  /** A key of this region by its id, of any owner. */
  byId(region: string, keyId: string): StoredKey | undefined {
    const key = this.#keys.get(`${region} ${keyId}`)
    if (key === undefined || !this.#isDeleted(key)) return key
    this.#keys.delete(`${region} ${keyId}`)
    return undefined
  }

  /** All keys of a multi-Region set, the primary first. */
  related({ set }: StoredKey): readonly StoredKey[] {
    const keys = [...this.#keys.values()].filter((key) => key.set === set)
    return keys
      .filter((key) => this.byId(key.region, set.keyId) !== undefined)
      .sort((a, b) => Number(a.multiRegion === 'REPLICA') - Number(b.multiRegion === 'REPLICA'))
  }

  /**
   * The key that a KeyId names: an id, an ARN or, where the operation takes them, an alias.
   *
   * @throws Refusal `notFound`, `invalidArn`, `accessDenied` for a key of another account
   */
  find(
    keyId: string,
    place: Place,
    rules: { readonly takesAlias: boolean; readonly knowsInvalidArn: boolean },
  ): StoredKey {
    const target = this.#target(keyId, place, rules)
    const arn = kmsArn(target)
    const key = this.byId(target.region, target.resource.slice('key/'.length))
    if (key?.arn === arn) return key
    // Another account's owner does not tell strangers what exists.
    if (target.accountId !== place.accountId) {
      throw new Refusal(
        'accessDenied',
        'The resource does not exist in this Region or is not shared.',
      )
    }
    throw new Refusal('notFound', `Key '${arn}' does not exist`)
  }

  #target(
    keyId: string,
    place: Place,
    { takesAlias, knowsInvalidArn }: { takesAlias: boolean; knowsInvalidArn: boolean },
  ): KmsArn {
    const isArn = keyId.startsWith('arn:')
    const target = isArn
      ? parseKmsArn(keyId)
      : { ...place, resource: keyId.startsWith('alias/') ? keyId : `key/${keyId}` }
    if (target === undefined)
      throw new Refusal(knowsInvalidArn ? 'invalidArn' : 'notFound', 'Invalid arn')
    if (target.region !== place.region)
      throw new Refusal('notFound', `Invalid arn ${target.region}`)
    if (target.resource.startsWith('alias/')) {
      if (!takesAlias) throw new Refusal('notFound', `Invalid keyId '${keyId}'`)
      const found = this.#aliases.get(kmsArn(target))
      if (found === undefined)
        throw new Refusal('notFound', `Alias ${kmsArn(target)} is not found.`)
      return { ...target, resource: `key/${found}` }
    }
    if (!KEY_ID.test(target.resource.slice('key/'.length))) {
      throw new Refusal('notFound', `Invalid keyId '${keyId}'`)
    }
    return target
  }

  /** The key id behind an alias ARN. */
  alias(arn: string): string | undefined {
    return this.#aliases.get(arn)
  }

  /** The keys of one account in one region, in the order in which they were made. */
  ownedIn(region: string, accountId: string): readonly StoredKey[] {
    return [...this.#keys.values()]
      .filter((key) => key.region === region && key.accountId === accountId)
      .filter(({ set }) => this.byId(region, set.keyId) !== undefined)
  }

  /** The aliases of one account in one region, with the ids of their keys. */
  aliasesIn(
    region: string,
    accountId: string,
  ): readonly { readonly arn: string; readonly keyId: string }[] {
    return [...this.#aliases]
      .map(([arn, keyId]) => ({ arn, keyId }))
      .filter(({ arn }) => {
        const place = parseKmsArn(arn)
        return place?.region === region && place.accountId === accountId
      })
  }

  setAlias(arn: string, keyId: string | undefined): void {
    if (keyId === undefined) this.#aliases.delete(arn)
    else this.#aliases.set(arn, keyId)
  }

  /** Past its waiting period a key is gone for good; a primary waits for its replicas first. */
  #isDeleted(key: StoredKey): boolean {
    if (key.state === 'PendingReplicaDeletion') {
      const others = [...this.#keys.values()].filter((one) => one.set === key.set && one !== key)
      if (others.every((one) => this.#isDeleted(one))) {
        const last = Math.max(...others.map((one) => one.deletionAtMs ?? 0), key.createdAtMs)
        key.state = 'PendingDeletion'
        key.deletionAtMs = last + (key.pendingWindowDays ?? 30) * DAY_MS
      }
    }
    return key.deletionAtMs !== undefined && this.#now() >= key.deletionAtMs
  }
}

/** Fresh random material. */
export function newMaterial(): KeyMaterial {
  return { id: hex(randomBytes(32)), bytes: randomBytes(32) }
}

/** The material that a key encrypts with now. */
export function currentMaterial({ set }: StoredKey): KeyMaterial | undefined {
  return set.materials.at(-1)
}

/** A material's key for AES-256-GCM. */
export function materialKey(material: KeyMaterial): Promise<CryptoKey> {
  material.key ??= crypto.subtle.importKey('raw', material.bytes, 'AES-GCM', false, [
    'encrypt',
    'decrypt',
  ])
  return material.key
}
