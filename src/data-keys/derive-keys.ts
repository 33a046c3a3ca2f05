import { equalBytesConstantTime } from '../bytes/index.ts'
import { type DerivedKeys, deriveDataKey } from '../ciphers/index.ts'
import { KmsError } from '../errors.ts'
import type { CanonicalContext, SecretBytes } from '../kms/index.ts'
import { type DataKeyFields, type KeyHeader, storedPart } from '../wire/index.ts'

const DEK_BYTES = 32

/**
 * Derives the keys of a new DEK and disposes the DEK.
 *
 * @throws KmsError `ERR_KMS_RESPONSE_INVALID` if it is not 32 bytes, or all of them are zero (W2.1)
 */
export async function deriveKeys(
  plaintext: SecretBytes,
  fields: DataKeyFields,
  context: CanonicalContext,
): Promise<DerivedKeys> {
  try {
    if (!isDek(plaintext)) {
      const message = 'a data key must be 32 random bytes'
      throw new KmsError('ERR_KMS_RESPONSE_INVALID', { message })
    }
    const stored = storedPart(fields.stored)
    return await deriveDataKey(plaintext, {
      salt: fields.salt,
      createdAtMs: fields.createdAtMs,
      flags: stored.flags,
      context: context.bytes,
      stored: stored.bytes,
    })
  } finally {
    plaintext.dispose()
  }
}

/**
 * Returns the keys of an unwrapped DEK if its commitment is the header's, else `undefined`. What no
 * DEK can be counts as a wrong one (W2.1, W3.29). Disposes the DEK.
 */
export async function openKeys(
  plaintext: SecretBytes,
  header: KeyHeader,
  context: CanonicalContext,
): Promise<DerivedKeys | undefined> {
  if (!isDek(plaintext)) {
    plaintext.dispose()
    return undefined
  }
  const keys = await deriveKeys(plaintext, header, context)
  // W2.6, W2.7, W6.3: before the first AEAD call, in constant time
  return equalBytesConstantTime(keys.commitment, header.commitment) ? keys : undefined
}

function isDek(plaintext: SecretBytes): boolean {
  return plaintext.length === DEK_BYTES && plaintext.expose().some((byte) => byte !== 0)
}
