import { type Bytes, decodeBase64 } from '../../bytes/index.ts'
import { importLocalKek, type XaesKey } from '../../ciphers/index.ts'
import { KmsError } from '../../errors.ts'
import { SecretBytes } from '../../kms/index.ts'

/** One version of a local KEK. */
export interface LocalKeyVersion {
  /** 1 to 2^31 - 1. The highest version is current. */
  readonly version: number
  /**
   * 32 random bytes, or their standard base64. Copied: wipe your own. Or a key of WebCrypto, AES-CBC with 256 bits for
   * `encrypt`, that cannot be exported; a browser can keep such a key in IndexedDB. The same bytes make the same key.
   */
  readonly key: Uint8Array | string | CryptoKey
  /** `retired`: still unwraps, never wraps. `enabled` by default. */
  readonly state?: 'enabled' | 'retired'
}

/** Versions have the bound of every decimal version (W3.34). */
const MAX_VERSION = 2 ** 31 - 1
const KEK_BYTES = 32

/** One version with its key, imported at first use: nothing asynchronous may happen at construction. */
class LocalKek {
  readonly version: number
  readonly retired: boolean
  #secret: SecretBytes | CryptoKey | undefined
  #key: XaesKey | undefined

  constructor(version: number, secret: SecretBytes | CryptoKey, retired: boolean) {
    this.version = version
    this.#secret = secret
    this.retired = retired
  }

  async key(): Promise<XaesKey> {
    // The key is shared, never the promise: another request must not wait on it (Workers).
    if (this.#key !== undefined) return this.#key
    const secret = this.#secret as SecretBytes | CryptoKey
    const key = await importLocalKek(secret)
    this.#key ??= key
    if (secret instanceof SecretBytes) secret.dispose()
    this.#secret = undefined
    return this.#key
  }
}

/** The versions of one local key: the highest is current. */
export class LocalKeyRing {
  readonly #keks = new Map<string, LocalKek>()
  #current: LocalKek

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(versions: readonly LocalKeyVersion[]) {
    for (const version of versions) this.add(version)
    this.#current = this.#highest()
  }

  get current(): LocalKek {
    return this.#current
  }

  /**
   * Refuses versions of which none is configured: no wrap under them can open.
   *
   * @throws KmsError `ERR_KMS_KEY_NOT_FOUND`
   */
  demandOneOf(versions: readonly string[]): void {
    if (versions.some((version) => this.#keks.has(version))) return
    const asked = versions.filter((version) => /^[1-9]\d{0,15}$/.test(version)).join(', ')
    if (asked === '') return // no version that anyone has written
    const configured = [...this.#keks.keys()].join(', ')
    throw new KmsError('ERR_KMS_KEY_NOT_FOUND', {
      provider: 'local',
      message: `version ${asked} of the local key is not configured; configured: ${configured}`,
    })
  }

  find(version: string): LocalKek | undefined {
    return this.#keks.get(version)
  }

  /** @throws KmsError `ERR_KMS_CONFIG` */
  add({ version, key, state }: LocalKeyVersion): void {
    const name = String(version)
    if (!Number.isInteger(version) || version < 1 || version > MAX_VERSION)
      throw config(`a version must be an integer from 1 to ${String(MAX_VERSION)}`)
    if (this.#keks.has(name)) throw config(`version ${name} is given twice`)
    if (!['enabled', 'retired', undefined].includes(state)) throw config('state is unknown')
    const secret = isCryptoKey(key) ? checkKey(key, name) : SecretBytes.take(keyBytes(key, name))
    this.#keks.set(name, new LocalKek(version, secret, state === 'retired'))
    this.#current = this.#highest()
  }

  #highest(): LocalKek {
    const highest = [...this.#keks.values()].sort((a, b) => b.version - a.version)[0]
    if (highest === undefined) throw config('no key version is given')
    return highest
  }
}

/** By its shape and not its class: a key of another frame has another class. */
function isCryptoKey(key: LocalKeyVersion['key']): key is CryptoKey {
  return Object(key) === key && 'algorithm' in (key as object)
}

/** Whether it is a key of this frame or of another one: what JSON left of a key would fail at each call. */
function isGenuine(key: object): boolean {
  return key instanceof CryptoKey || Object.prototype.toString.call(key) === '[object CryptoKey]'
}

/** A key that can be exported protects no more than its bytes do, and its owner believes otherwise. */
function checkKey(key: CryptoKey, version: string): CryptoKey {
  const { name, length } = Object(key.algorithm) as Partial<AesKeyAlgorithm>
  if (isGenuine(key) && name === 'AES-CBC' && length === 8 * KEK_BYTES && !key.extractable)
    if (key.usages.includes('encrypt')) return key
  const expected = "a CryptoKey of AES-CBC with 256 bits, for 'encrypt', that cannot be exported"
  throw config(`the key of version ${version} must be ${expected}`)
}

function keyBytes(key: unknown, version: string): Bytes {
  // An ArrayBuffer would be wrapped and not copied, and the caller's key wiped with ours.
  const given = key instanceof Uint8Array ? new Uint8Array(key) : undefined
  const bytes = typeof key === 'string' ? decodeBase64(key.trim()) : given
  if (bytes?.length !== KEK_BYTES) {
    const isHex = typeof key === 'string' && /^(?:[0-9a-f]{2}){16,}$/i.test(key.trim())
    const hint = isHex ? '; it looks like hex: write the same bytes in base64' : ''
    const expected = `${String(KEK_BYTES)} bytes, or their base64 of 44 characters`
    throw config(`the key of version ${version} must be ${expected}${hint}`)
  }
  if (bytes.every((byte) => byte === bytes[0])) {
    throw config(`the key of version ${version} is not random: all its bytes are equal`)
  }
  return bytes
}

function config(message: string): KmsError {
  return new KmsError('ERR_KMS_CONFIG', { message, provider: 'local' })
}
