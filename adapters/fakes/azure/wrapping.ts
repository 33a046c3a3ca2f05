import type { Bytes } from '../../../src/bytes/index.ts'
import { Refusal } from './errors.ts'
import type { StoredVersion } from './key-store.ts'

/** OAEP by its hash; RSA1_5 is not in WebCrypto and does not exist here. */
const OAEP_HASHES: ReadonlyMap<string, string> = new Map([
  ['RSA-OAEP', 'SHA-1'],
  ['RSA-OAEP-256', 'SHA-256'],
])

/** Wraps under one version. @throws Refusal `badParameter` */
export async function wrap(
  { material }: StoredVersion,
  algorithm: string,
  plaintext: Bytes,
): Promise<Bytes> {
  try {
    if (material.kind === 'oct') {
      demandKeyWrap(algorithm)
      const dek = await crypto.subtle.importKey('raw', plaintext, HMAC, true, ['sign'])
      const kek = await importKek(material.bytes, 'wrapKey')
      return new Uint8Array(await crypto.subtle.wrapKey('raw', dek, kek, 'AES-KW'))
    }
    const { n, e } = (await material.pair()).jwk
    const jwk = { kty: 'RSA', ...(n !== undefined && { n }), ...(e !== undefined && { e }) }
    const key = await importRsa(jwk, algorithm, 'encrypt')
    return new Uint8Array(await crypto.subtle.encrypt({ name: 'RSA-OAEP' }, key, plaintext))
  } catch {
    throw new Refusal('badParameter')
  }
}

/** Opens what {@link wrap} made. @throws Refusal `badParameter`, whatever is wrong */
export async function unwrap(
  { material }: StoredVersion,
  algorithm: string,
  wrapped: Bytes,
): Promise<Bytes> {
  try {
    if (material.kind === 'oct') {
      demandKeyWrap(algorithm)
      const kek = await importKek(material.bytes, 'unwrapKey')
      const key = await crypto.subtle.unwrapKey('raw', wrapped, kek, 'AES-KW', HMAC, true, ['sign'])
      return new Uint8Array(await crypto.subtle.exportKey('raw', key))
    }
    const { jwk } = await material.pair()
    const key = await importRsa(jwk, algorithm, 'decrypt')
    return new Uint8Array(await crypto.subtle.decrypt({ name: 'RSA-OAEP' }, key, wrapped))
  } catch {
    throw new Refusal('badParameter')
  }
}

const HMAC = { name: 'HMAC', hash: 'SHA-256' }

function demandKeyWrap(algorithm: string): void {
  if (algorithm !== 'A256KW') throw new Refusal('badParameter')
}

function importKek(bytes: Bytes, usage: 'wrapKey' | 'unwrapKey'): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', bytes, 'AES-KW', false, [usage])
}

function importRsa(
  jwk: JsonWebKey,
  algorithm: string,
  usage: 'encrypt' | 'decrypt',
): Promise<CryptoKey> {
  const hash = OAEP_HASHES.get(algorithm)
  if (hash === undefined) throw new Refusal('badParameter')
  // `alg`, `use` and `key_ops` would bind the key to the hash that it was made with.
  const { alg: _alg, use: _use, key_ops: _operations, ext: _ext, ...bare } = jwk
  return crypto.subtle.importKey('jwk', bare, { name: 'RSA-OAEP', hash }, false, [usage])
}
