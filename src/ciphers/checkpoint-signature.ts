import type { Bytes } from '../bytes/index.ts'

const ALGORITHM = { name: 'ECDSA', hash: 'SHA-256' } as const

/** ECDSA P-256 with SHA-256 (FIPS 186-5), the signature every runtime here has. */
export async function signCheckpoint(key: CryptoKey, data: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.sign(ALGORITHM, key, data))
}

/** Whether the signature is of these bytes by this key. */
export function verifyCheckpoint(key: CryptoKey, signature: Bytes, data: Bytes): Promise<boolean> {
  return crypto.subtle.verify(ALGORITHM, key, signature, data)
}
