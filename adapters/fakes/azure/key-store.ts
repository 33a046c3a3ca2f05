import { type Bytes, encodeBase64Url } from '../../../src/bytes/index.ts'
import { Refusal } from './errors.ts'

/** Material of one version. */
export type KeyMaterial =
  | { readonly kind: 'rsa'; readonly pair: () => Promise<{ readonly jwk: JsonWebKey }> }
  | { readonly kind: 'oct'; readonly bytes: Bytes }

/** Names and texts that the vault keeps with a version. */
export type VersionTags = Readonly<Record<string, string>>

/** State of a version that a request may set. */
export interface VersionState {
  readonly enabled?: boolean
  readonly notBeforeMs?: number | undefined
  readonly expiresAtMs?: number | undefined
  readonly tags?: VersionTags | undefined
}

/** One version of a key. */
export interface StoredVersion {
  /** 32 hex digits. */
  readonly version: string
  readonly material: KeyMaterial
  readonly createdAtMs: number
  operations: readonly string[]
  enabled: boolean
  notBeforeMs: number | undefined
  expiresAtMs: number | undefined
  tags: VersionTags | undefined
}

/** A key, its versions in the order in which they were made. */
export interface StoredKey {
  readonly name: string
  readonly kty: string
  readonly bits: number
  readonly versions: StoredVersion[]
  policy: object
  /** By the rotation policy: how long after its creation a version that a rotation makes expires. */
  lifeMs: number | undefined
}

/** A key that was deleted, and can be recovered. */
export interface DeletedKey {
  readonly key: StoredKey
  readonly atMs: number
}

/** The parts of a key or of a new version of it. */
export interface NewKey extends VersionState {
  readonly kty: string
  /** Bits of an RSA key. */
  readonly bits?: number | undefined
  readonly operations: readonly string[]
  readonly nowMs: number
}

/** Keys of all vaults and HSMs, by host and name; names are compared without case. */
export class KeyStore {
  readonly #keys = new Map<string, StoredKey>()
  readonly #deleted = new Map<string, DeletedKey>()

  /** Makes a key, or a new version of it. @throws Refusal `conflict` for a name that is deleted */
  create(host: string, name: string, made: NewKey): StoredKey {
    const id = idOf(host, name)
    if (this.#deleted.has(id)) throw new Refusal('conflict')
    const { kty, bits = 2_048 } = made
    const key = this.#keys.get(id) ?? {
      name,
      kty,
      bits,
      versions: [],
      policy: {},
      lifeMs: undefined,
    }
    this.#keys.set(id, key)
    key.versions.push(newVersion(made))
    return key
  }

  /** @throws Refusal `notFound` */
  find(host: string, name: string): StoredKey {
    const key = this.#keys.get(idOf(host, name))
    if (key === undefined) throw new Refusal('notFound')
    return key
  }

  /** A key that was deleted. @throws Refusal `notFound` */
  findDeleted(host: string, name: string): DeletedKey {
    const key = this.#deleted.get(idOf(host, name))
    if (key === undefined) throw new Refusal('notFound')
    return key
  }

  /** Returns the versions of a key; none for an unknown key, as the vault answers. */
  versionsOf(host: string, name: string): readonly StoredVersion[] {
    return this.#keys.get(idOf(host, name))?.versions ?? []
  }

  /** Soft: the name stays taken. @throws Refusal `notFound` */
  delete(host: string, name: string, atMs: number): DeletedKey {
    const deleted = { key: this.find(host, name), atMs }
    this.#keys.delete(idOf(host, name))
    this.#deleted.set(idOf(host, name), deleted)
    return deleted
  }

  /** The key is back as it was. @throws Refusal `notFound` */
  recover(host: string, name: string): StoredKey {
    const { key } = this.findDeleted(host, name)
    this.#deleted.delete(idOf(host, name))
    this.#keys.set(idOf(host, name), key)
    return key
  }
}

/** The version that is meant: the last where none is named. @throws Refusal `notFound` */
export function versionOf(key: StoredKey, version: string): StoredVersion {
  const found =
    version === '' ? key.versions.at(-1) : key.versions.find((one) => one.version === version)
  if (found === undefined) throw new Refusal('notFound')
  return found
}

/** A new version in place of the last one, as a rotation makes it. */
export function rotate(key: StoredKey, nowMs: number): StoredVersion {
  const { operations } = versionOf(key, '')
  const { kty, bits, lifeMs } = key
  const expiresAtMs = lifeMs === undefined ? undefined : nowMs + lifeMs
  const made = newVersion({ kty, bits, operations, nowMs, expiresAtMs })
  key.versions.push(made)
  return made
}

function newVersion(made: NewKey): StoredVersion {
  const { kty, bits = 2_048, operations, nowMs, enabled = true } = made
  return {
    version: crypto.randomUUID().replaceAll('-', ''),
    material:
      kty === 'oct-HSM'
        ? { kind: 'oct', bytes: crypto.getRandomValues(new Uint8Array(32)) }
        : { kind: 'rsa', pair: lazily(() => rsaPair(bits)) },
    createdAtMs: nowMs,
    operations,
    enabled,
    notBeforeMs: made.notBeforeMs,
    expiresAtMs: made.expiresAtMs,
    tags: made.tags,
  }
}

/** Made at its first use: an RSA key takes its time. */
function lazily<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => (made ??= make())
}

async function rsaPair(modulusLength: number): Promise<{ readonly jwk: JsonWebKey }> {
  const algorithm = {
    name: 'RSA-OAEP',
    modulusLength,
    publicExponent: new Uint8Array([1, 0, 1]),
    hash: 'SHA-256',
  }
  const pair = await crypto.subtle.generateKey(algorithm, true, ['encrypt', 'decrypt'])
  return { jwk: await crypto.subtle.exportKey('jwk', pair.privateKey) }
}

/** The public half, as Key Vault writes it. */
export async function publicMembers(version: StoredVersion): Promise<Record<string, string>> {
  if (version.material.kind === 'oct') return {}
  const { n = '', e = encodeBase64Url(new Uint8Array([1, 0, 1])) } = (await version.material.pair())
    .jwk
  return { n, e }
}

function idOf(host: string, name: string): string {
  return `${host.toLowerCase()}/${name.toLowerCase()}`
}
