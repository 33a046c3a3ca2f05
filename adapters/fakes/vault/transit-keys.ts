import type { Bytes } from '../../../src/bytes/index.ts'
import type { FakeVaultKeyOptions } from './options.ts'

/** One version of a key. */
export interface TransitVersion {
  readonly bytes: Bytes
  readonly createdAtMs: number
}

/** A transit key. Versions count from 1. */
export interface TransitKeyState {
  readonly name: string
  readonly type: string
  readonly derived: boolean
  readonly convergent: boolean
  readonly versions: TransitVersion[]
  minDecryptionVersion: number
  /** Versions below it are gone for ever; 0: none is. */
  minAvailableVersion: number
  minEncryptionVersion: number
  deletionAllowed: boolean
  exportable: boolean
  /** 0: it is not rotated by itself. The fake tells the period, and never rotates. */
  autoRotateSeconds: number
}

/** Transit keys of all mounts. */
export class TransitKeys {
  readonly #keys = new Map<string, TransitKeyState>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  /** @param mount - with the namespace before it */
  find(mount: string, name: string): TransitKeyState | undefined {
    return this.#keys.get(`${mount}/${name}`)
  }

  /** The key of this name; made where there is none. */
  ensure(mount: string, options: FakeVaultKeyOptions): TransitKeyState {
    const { name, type = 'aes256-gcm96', derived = false, convergent = false } = options
    const held = this.find(mount, name)
    if (held !== undefined) return held
    const key: TransitKeyState = {
      name,
      type,
      derived: derived || convergent,
      convergent,
      versions: [],
      minDecryptionVersion: 1,
      minAvailableVersion: 0,
      minEncryptionVersion: 0,
      deletionAllowed: false,
      exportable: false,
      autoRotateSeconds: 0,
    }
    this.#keys.set(`${mount}/${name}`, key)
    this.rotate(key)
    return key
  }

  rotate(key: TransitKeyState): void {
    const length = key.type === 'aes128-gcm96' ? 16 : 32
    const bytes = crypto.getRandomValues(new Uint8Array(length))
    key.versions.push({ bytes, createdAtMs: this.#now() })
  }

  delete(mount: string, name: string): void {
    this.#keys.delete(`${mount}/${name}`)
  }

  names(mount: string): readonly string[] {
    const prefix = `${mount}/`
    const names = [...this.#keys.keys()].filter((path) => path.startsWith(prefix))
    return names.map((path) => path.slice(prefix.length)).sort()
  }
}

/** The facts that Vault tells of a key. */
export function keyInfo(key: TransitKeyState): Readonly<Record<string, unknown>> {
  const isAead = key.type.endsWith('-gcm96')
  return {
    name: key.name,
    type: key.type,
    derived: key.derived,
    ...(key.derived && { kdf: 'hkdf_sha256', convergent_encryption: key.convergent }),
    deletion_allowed: key.deletionAllowed,
    exportable: key.exportable,
    allow_plaintext_backup: false,
    imported_key: false,
    auto_rotate_period: key.autoRotateSeconds,
    soft_deleted: false,
    latest_version: key.versions.length,
    min_available_version: key.minAvailableVersion,
    min_decryption_version: key.minDecryptionVersion,
    min_encryption_version: key.minEncryptionVersion,
    supports_encryption: isAead || key.type.startsWith('rsa-'),
    supports_decryption: isAead || key.type.startsWith('rsa-'),
    supports_derivation: isAead,
    supports_signing: !isAead,
    keys: Object.fromEntries(
      key.versions
        .map(({ createdAtMs }, i) => [String(i + 1), Math.floor(createdAtMs / 1_000)] as const)
        .slice(key.minDecryptionVersion - 1),
    ),
  }
}
