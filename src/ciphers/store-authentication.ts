import { type Bytes, concatBytes, encodeUtf8 } from '../bytes/index.ts'

const ALGORITHM = { name: 'HMAC', hash: 'SHA-256' } as const

/** The key under which a writer authenticates what it leaves in a store that others can write. */
export function importStoreAuthKey(bytes: Bytes): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', bytes, ALGORITHM, false, ['sign', 'verify'])
}

/** HMAC-SHA-256 (RFC 2104) over a label, 0x00 and the parts, of which only the last may vary in length. */
export async function authenticateStored(
  key: CryptoKey,
  label: string,
  ...parts: readonly Bytes[]
): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.sign(ALGORITHM, key, labelled(label, parts)))
}

/** Whether that is the MAC of these parts. The platform compares in constant time. */
export function isAuthenticStored(
  key: CryptoKey,
  mac: Bytes,
  label: string,
  ...parts: readonly Bytes[]
): Promise<boolean> {
  return crypto.subtle.verify(ALGORITHM, key, mac, labelled(label, parts))
}

function labelled(label: string, parts: readonly Bytes[]): Bytes {
  return concatBytes(encodeUtf8(`${label}\0`), ...parts)
}
