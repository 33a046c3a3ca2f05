import type { Bytes } from '../bytes/index.ts'

/** A DEK encrypted under one version of one KEK. Public data. */
export interface WrappedKey {
  /** The provider's name in the wire format, e.g. `local` or `aws-kms`. */
  readonly provider: string
  /** The key's permanent id: never an alias. */
  readonly kekId: string
  /** The key's version if the vendor reveals one, otherwise empty. */
  readonly kekVersion: string
  /** The wrapped DEK as the vendor gave it, 1 to 6,144 bytes. */
  readonly wrapped: Bytes
}

/** One version of one KEK. */
export interface KekVersion {
  readonly provider: string
  readonly kekId: string
  /** Empty if the vendor does not reveal one. */
  readonly kekVersion: string
}
