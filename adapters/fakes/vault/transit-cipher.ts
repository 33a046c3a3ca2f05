import { type Bytes, concatBytes, encodeBase64 } from '../../../src/bytes/index.ts'
import { decodeGoBase64 } from './base64.ts'
import type { FakeVaultDefect } from './options.ts'
import { Refusal } from './refusal.ts'
import type { TransitKeyState } from './transit-keys.ts'

/** The binding of a ciphertext, decoded. */
export interface TransitBinding {
  readonly context: Bytes
  readonly associatedData: Bytes
}

/** How this server ciphers. */
export type Defects = ReadonlySet<FakeVaultDefect>

const NONCE_BYTES = 12
const EMPTY: Bytes = new Uint8Array(0)

/** @throws Refusal */
export async function seal(
  key: TransitKeyState,
  plaintext: Bytes,
  binding: TransitBinding,
  defects: Defects,
  asked = 0,
): Promise<{ readonly ciphertext: string; readonly version: number }> {
  const latest = defects.has('encrypts-under-first-version') ? 1 : key.versions.length
  const version = asked === 0 ? latest : asked
  if (asked !== 0 && asked < Math.max(1, key.minEncryptionVersion))
    throw new Refusal(
      400,
      'requested version for encryption is less than the minimum encryption key version',
    )
  if (version > key.versions.length)
    throw new Refusal(400, 'requested version for encryption is higher than the latest key version')
  const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES))
  const additionalData = additional(binding, defects)
  const cipher = await cipherKey(key, version, binding.context, defects)
  const sealed = await crypto.subtle.encrypt(
    { name: 'AES-GCM', iv, additionalData },
    cipher,
    plaintext,
  )
  const base64 = encodeBase64(concatBytes(iv, new Uint8Array(sealed)))
  return { ciphertext: `vault:v${String(version)}:${base64}`, version }
}

/** The plaintext, in the order of Vault's own checks: keysutil/policy.go, DecryptWithFactory. @throws Refusal */
export async function open(
  key: TransitKeyState,
  ciphertext: string,
  binding: TransitBinding,
  defects: Defects,
): Promise<Bytes> {
  const rest = /^vault:v([^]*)$/.exec(ciphertext)?.[1]
  if (rest === undefined) throw new Refusal(400, 'invalid ciphertext: no prefix')
  const split = rest.indexOf(':')
  if (split < 0) throw new Refusal(400, 'invalid ciphertext: wrong number of fields')
  const digits = rest.slice(0, split)
  if (!/^[+-]?\d{1,15}$/.test(digits))
    throw new Refusal(400, 'invalid ciphertext: version number could not be decoded')
  // "Compatibility mode with initial implementation, where keys were zero-indexed."
  const version = Number(digits) === 0 ? 1 : Number(digits)
  const latest = key.versions.length
  if (version > latest) throw new Refusal(400, 'invalid ciphertext: version is too new')
  const least = defects.has('ignores-min-decryption-version') ? 1 : key.minDecryptionVersion
  if (version < least)
    throw new Refusal(400, 'ciphertext or signature version is disallowed by policy (too old)')
  const bytes = decodeGoBase64(rest.slice(split + 1))
  if (bytes === undefined) throw new Refusal(400, 'invalid ciphertext: could not decode base64')
  const cipher = await cipherKey(key, version, binding.context, defects)
  if (bytes.length < NONCE_BYTES) throw new Refusal(400, 'invalid ciphertext length')
  const failed = new Refusal(400, 'cipher: message authentication failed')
  if (version < latest && defects.has('drops-old-versions')) throw failed
  const algorithm = {
    name: 'AES-GCM',
    iv: bytes.slice(0, NONCE_BYTES),
    additionalData: additional(binding, defects),
  }
  try {
    const sealed = bytes.slice(NONCE_BYTES)
    return new Uint8Array(await crypto.subtle.decrypt(algorithm, cipher, sealed))
  } catch {
    throw failed
  }
}

function additional({ associatedData }: TransitBinding, defects: Defects): Bytes {
  return defects.has('ignores-associated-data') ? EMPTY : associatedData
}

/** A key that is not derived ignores the context, as Vault's does. */
async function cipherKey(
  key: TransitKeyState,
  version: number,
  context: Bytes,
  defects: Defects,
): Promise<CryptoKey> {
  if (!/^aes(?:128|256)-gcm96$/.test(key.type))
    throw new Refusal(400, `message encryption not supported for key type ${key.type}`)
  const material = key.versions[version - 1]?.bytes ?? EMPTY
  if (!key.derived) return aesKey(material)
  if (context.length === 0) {
    throw new Refusal(
      400,
      "missing 'context' for key derivation; the key was created using a derived key, which means additional, per-request information must be included in order to perform operations with the key",
    )
  }
  const info = defects.has('ignores-derivation') ? EMPTY : context
  const base = await crypto.subtle.importKey('raw', material, 'HKDF', false, ['deriveBits'])
  const algorithm = { name: 'HKDF', hash: 'SHA-256', salt: EMPTY, info }
  return aesKey(
    new Uint8Array(await crypto.subtle.deriveBits(algorithm, base, material.length * 8)),
  )
}

function aesKey(bytes: Bytes): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt'])
}
