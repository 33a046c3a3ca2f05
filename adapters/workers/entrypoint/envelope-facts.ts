import type { Bytes } from '../../../src/bytes/index.ts'
import { EncryptedEnvelope } from '../../../src/index.ts'
import type { EnvelopeFacts } from '../rpc/cipher-service.ts'
import type { ServiceCipher } from './ready-ciphers.ts'

/**
 * Returns what an envelope says about itself, and whether the cipher has a key for it.
 *
 * @throws KmsError as `EncryptedEnvelope.parse`
 */
export function factsOf(
  cipher: ServiceCipher,
  envelope: Bytes | string,
  { prefix = false }: { readonly prefix?: boolean },
): EnvelopeFacts {
  const parsed = EncryptedEnvelope.parse(envelope, { prefix })
  const { storedContext, ...facts } = parsed.toJSON() as unknown as EnvelopeFacts
  return {
    ...facts,
    // The map of a header has no prototype, and RPC refuses such an object.
    ...(storedContext !== undefined && { storedContext: { ...storedContext } }),
    canOpen: cipher.canOpen(parsed),
  }
}
