import type { JsonObject } from '../../../src/http/index.ts'
import { type Material, newMaterial } from './ciphertext.ts'
import { Refusal } from './errors.ts'

/** States of a version: google/cloud/kms/v1/resources.proto. */
export type VersionState =
  'PENDING_GENERATION' | 'ENABLED' | 'DISABLED' | 'DESTROY_SCHEDULED' | 'DESTROYED'

/** A version of a key. */
export interface StoredVersion {
  readonly name: string
  readonly number: number
  readonly material: Material
  readonly createdAtMs: number
  readonly usableAtMs: number
  state: VersionState
  destroyAtMs?: number
}

/** A key. */
export interface StoredKey {
  readonly name: string
  readonly purpose: string
  readonly protectionLevel: string
  readonly createdAtMs: number
  readonly generationMs: number
  readonly versions: StoredVersion[]
  primary?: StoredVersion
  /** Shown as it was given; the fake rotates when it is told to. */
  readonly rotation?: { readonly nextRotationTime: string; readonly rotationPeriod?: string }
}

/** Default of destroy_scheduled_duration. */
export const DESTROY_AFTER_MS: number = 30 * 86_400_000

/** Key rings and keys by their resource names. */
export class KeyStore {
  readonly #now: () => number
  readonly #rings = new Map<string, number>()
  readonly #keys = new Map<string, StoredKey>()

  constructor(now: () => number) {
    this.#now = now
  }

  addRing(name: string): JsonObject {
    if (this.#rings.has(name)) throw new Refusal('alreadyExists', `KeyRing ${name} already exists.`)
    this.#rings.set(name, this.#now())
    return this.ring(name)
  }

  ring(name: string): JsonObject {
    const createdAtMs = this.#rings.get(name)
    if (createdAtMs === undefined) throw new Refusal('notFound', `KeyRing ${name} not found.`)
    return { name, createTime: new Date(createdAtMs).toISOString() }
  }

  hasRing(name: string): boolean {
    return this.#rings.has(name)
  }

  addKey(
    key: Pick<StoredKey, 'name' | 'purpose' | 'protectionLevel' | 'generationMs' | 'rotation'>,
    withVersion: boolean,
  ): StoredKey {
    const { name } = key
    this.ring(name.slice(0, name.indexOf('/cryptoKeys/')))
    if (this.#keys.has(name))
      throw new Refusal('alreadyExists', `CryptoKey ${name} already exists.`)
    const stored: StoredKey = { ...key, createdAtMs: this.#now(), versions: [] }
    this.#keys.set(name, stored)
    if (!withVersion) return stored
    const first = this.addVersion(stored)
    if (key.purpose === 'ENCRYPT_DECRYPT') stored.primary = first
    return stored
  }

  addVersion(key: StoredKey): StoredVersion {
    const number = key.versions.length + 1
    const createdAtMs = this.#now()
    const version: StoredVersion = {
      name: `${key.name}/cryptoKeyVersions/${String(number)}`,
      number,
      material: newMaterial(),
      createdAtMs,
      usableAtMs: createdAtMs + key.generationMs,
      state: 'ENABLED',
    }
    key.versions.push(version)
    return version
  }

  key(name: string): StoredKey {
    const key = this.#keys.get(name)
    if (key === undefined) throw new Refusal('notFound', `CryptoKey ${name} not found.`)
    return key
  }

  keysIn(ring: string): readonly StoredKey[] {
    return [...this.#keys.values()].filter(({ name }) => name.startsWith(`${ring}/cryptoKeys/`))
  }

  all(): Iterable<StoredKey> {
    return this.#keys.values()
  }

  version(name: string): StoredVersion {
    const key = this.key(name.slice(0, name.indexOf('/cryptoKeyVersions/')))
    const version = key.versions.find((one) => one.name === name)
    if (version === undefined) throw new Refusal('notFound', `CryptoKeyVersion ${name} not found.`)
    return version
  }

  /** A version's state now: time alone makes and destroys. */
  stateOf({ state, destroyAtMs = Infinity, usableAtMs }: StoredVersion): VersionState {
    if (state === 'DESTROY_SCHEDULED' && this.#now() >= destroyAtMs) return 'DESTROYED'
    return state === 'ENABLED' && this.#now() < usableAtMs ? 'PENDING_GENERATION' : state
  }
}
