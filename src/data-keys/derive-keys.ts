import { equalBytesConstantTime } from '../bytes/index.ts'
import { type DerivedKeys, deriveDataKey } from '../ciphers/index.ts'
import type { CanonicalContext, SecretBytes } from '../kms/index.ts'
import { type DataKeyFields, type KeyHeader, storedPart } from '../wire/index.ts'

const DEK_BYTES = 32

/**
 * Returns the keys of a DEK, and disposes the DEK. Returns `undefined` for what no DEK can be: it is
 * not 32 bytes, or all of them are zero (W2.1).
 */
export async function deriveKeys(
  plaintext: SecretBytes,
  { salt, createdAtMs, stored: map }: DataKeyFields,
  { bytes: context }: CanonicalContext,
): Promise<DerivedKeys | undefined> {
  try {
    const isDek = plaintext.length === DEK_BYTES && plaintext.expose().some((byte) => byte !== 0)
    if (!isDek) return undefined
    const { flags, bytes: stored } = storedPart(map)
    return await deriveDataKey(plaintext, { salt, createdAtMs, flags, context, stored })
  } finally {
    plaintext.dispose()
  }
}

/**
 * Returns the keys of an unwrapped DEK if its commitment is the header's, else `undefined`. Bytes that no
 * DEK can have count as a wrong one (W2.1, W3.29). Disposes the DEK.
 */
export async function openKeys(
  plaintext: SecretBytes,
  header: KeyHeader,
  context: CanonicalContext,
): Promise<DerivedKeys | undefined> {
  const keys = await deriveKeys(plaintext, header, context)
  // W2.6, W2.7, W6.3: before the first AEAD call, in constant time
  return keys && equalBytesConstantTime(keys.commitment, header.commitment) ? keys : undefined
}
