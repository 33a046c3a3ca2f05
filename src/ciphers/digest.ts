import type { Bytes } from '../bytes/index.ts'

/** SHA-256 (FIPS 180-4). */
export async function sha256(data: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', data))
}
