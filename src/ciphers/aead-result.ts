import type { Bytes } from '../bytes/index.ts'
import { KmsError } from '../errors.ts'

/** The result of an AEAD call. */
export function view(buffer: ArrayBuffer): Bytes {
  return new Uint8Array(buffer)
}

/** Runtimes differ in the error's name and message; a caller must not see the difference. */
export function refuse(): never {
  throw new KmsError('ERR_DECRYPT_FAILED') // W6.9
}
