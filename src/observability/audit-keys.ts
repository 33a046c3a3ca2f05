import { type Bytes, concatBytes, copyBytes, decodeBase64, encodeUtf8 } from '../bytes/index.ts'
import { wrongOption } from '../checks/index.ts'
import { authenticateStored, importStoreAuthKey, sha256 } from '../ciphers/index.ts'
import { RECORD_LABEL } from './audit-record.ts'

/** A key of 32 bytes, as bytes, as base64, or as a `CryptoKey` for HMAC with SHA-256 and the usage `sign`. */
export type AuditMacKey = CryptoKey | Uint8Array | string

/** Makes the hash of a record from its bytes. */
export type Digest = (data: Bytes) => Promise<Bytes>

const MAC_KEY_BYTES = 32

/** Returns the unkeyed digest of records. */
export function plainDigest(data: Bytes): Promise<Bytes> {
  return sha256(concatBytes(encodeUtf8(`${RECORD_LABEL}\0`), data))
}

/**
 * Returns the keyed digest of records. The key is imported at its first use.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function keyedDigest(name: string, given: AuditMacKey): Digest {
  let key: CryptoKey | undefined
  if (isMacKey(given)) key = given
  const bytes = key === undefined ? macBytes(name, given) : undefined
  return async (data) => {
    // Two that import it at once get two keys that do the same.
    key ??= await importStoreAuthKey(bytes as Bytes)
    return authenticateStored(key, RECORD_LABEL, data)
  }
}

/** Whether this is a key for ECDSA over P-256 that can do this: what signs and checks checkpoints. */
export function isCheckpointKey(key: unknown, usage: 'sign' | 'verify'): key is CryptoKey {
  if (!isCryptoKey(key)) return false
  const { name, namedCurve } = key.algorithm as Partial<EcKeyAlgorithm>
  return name === 'ECDSA' && namedCurve === 'P-256' && key.usages.includes(usage)
}

function isMacKey(key: unknown): key is CryptoKey {
  if (!isCryptoKey(key)) return false
  const { name, hash } = key.algorithm as Partial<HmacKeyAlgorithm>
  return name === 'HMAC' && hash?.name === 'SHA-256' && key.usages.includes('sign')
}

/** By its tag, as another realm's key is one too. */
function isCryptoKey(key: unknown): key is CryptoKey {
  return Object.prototype.toString.call(key) === '[object CryptoKey]'
}

function macBytes(name: string, given: unknown): Bytes {
  const bytes = typeof given === 'string' ? decodeBase64(given) : given
  if (bytes instanceof Uint8Array && bytes.length === MAC_KEY_BYTES) return copyBytes(bytes)
  throw wrongOption(name, '32 bytes, base64 of 32 bytes, or an HMAC-SHA-256 key with usage "sign"')
}
