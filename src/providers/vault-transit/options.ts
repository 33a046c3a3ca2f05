import type { BrowserRule } from '../../checks/index.ts'
import type { VaultLogin, VaultPlace } from '../../credentials/vault/index.ts'
import type { KmsCapabilities } from '../../kms/index.ts'
import type { Network, Runtime } from '../../ports/index.ts'

/** Options of `createVaultTransitKms`. */
export interface VaultTransitKmsOptions extends VaultPlace, BrowserRule {
  /** The name of a transit key of an AEAD type, e.g. `aes256-gcm96`. */
  readonly key: string
  /** The mount of transit; `transit` by default. */
  readonly mount?: string
  readonly auth: VaultLogin
  /**
   * The key's name in envelopes, 1 to 2,048 bytes; `mount/key` by default. Keys that one reader may meet must have
   * different ids: set this option if two namespaces or servers have the same names of mount and key.
   */
  readonly kekId?: string
  /**
   * The part of Vault that binds the context of a data key. `associated-data` (the default) works with every key; a
   * derived key receives the context as well. `derivation` sends the context alone and requires a derived key; Vault
   * can then make and rewrap data keys inside. All readers and writers of a key must use the same value.
   */
  readonly bindBy?: 'associated-data' | 'derivation'
  /** Whether the key is derived. By default Vault says so; set this option if the token may not read the key. */
  readonly derived?: boolean
  /**
   * Whether this instance may make and wrap data keys (`encrypt`), unwrap them (`decrypt`), or both; `both` by
   * default. A rewrap needs `both`.
   */
  readonly usage?: KmsCapabilities['usage']
  /** Entries to add to the context of health checks, beside `edge-kms:dk` = `health`. Empty by default. */
  readonly healthContext?: Readonly<Record<string, string>>
  readonly runtime?: Runtime
  readonly network?: Network
}
