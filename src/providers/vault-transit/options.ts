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
   * The key's name in envelopes, 1 to 2,048 bytes; `mount/key` by default. Two keys that one reader may
   * meet must not share it: give one where mounts and keys of two namespaces or servers are called alike.
   */
  readonly kekId?: string
  /**
   * The part of Vault that binds the context of a data key. `associated-data` (the default) works with every key, and a
   * derived key gets the context as well. `derivation` sends the context alone: for derived keys, whose
   * data keys Vault can then make and rewrap inside. All readers and writers of a key must agree.
   */
  readonly bindBy?: 'associated-data' | 'derivation'
  /** Whether the key is derived, for tokens that may not read the key; told by Vault by default. */
  readonly derived?: boolean
  /** Which half of the contract this instance may use; `both` by default. */
  readonly usage?: KmsCapabilities['usage']
  /** Entries of a health check's context beside `edge-kms:dk` = `health`. Empty by default. */
  readonly healthContext?: Readonly<Record<string, string>>
  readonly runtime?: Runtime
  readonly network?: Network
}
