import { KmsError } from '../errors.ts'
import type { KeyManagementService, KmsCallOptions } from './key-management-service.ts'
import { recognizes } from './recognizes.ts'
import type { WrappedKey } from './wrapped-key.ts'

/**
 * Returns new wraps of the first wrap that opens to 32 bytes, for a KMS that cannot rewrap inside. A wrap
 * that opens to anything else is not a DEK's, and must not hide the right one.
 *
 * @throws KmsError `ERR_ENVELOPE_UNKNOWN_KEY` without a wrap of the service, `ERR_DECRYPT_FAILED` if none opens
 */
export async function rewrapByUnwrapping(
  kms: Pick<KeyManagementService, 'canUnwrap' | 'unwrapDataKey' | 'wrapDataKey'>,
  wraps: readonly WrappedKey[],
  options: KmsCallOptions,
): Promise<readonly WrappedKey[]> {
  for (let left = wraps; ;) {
    const { plaintext, by } = await kms.unwrapDataKey(left, options)
    try {
      if (plaintext.length === 32) return await kms.wrapDataKey(plaintext, options)
    } finally {
      plaintext.dispose()
    }
    left = left.filter((wrap) => wrap !== by)
    if (!left.some((wrap) => recognizes(kms, wrap, options.context)))
      throw new KmsError('ERR_DECRYPT_FAILED')
  }
}
