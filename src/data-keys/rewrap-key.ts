import { KmsError, type KmsErrorCode } from '../errors.ts'
import { SecretBytes, type WrappedKey } from '../kms/index.ts'
import { askKms, type CallBounds } from './ask.ts'
import type { FailedHeaders } from './cache/failed-headers.ts'
import type { RewrapKeyOptions } from './data-key-source.ts'
import { openKeys } from './derive-keys.ts'
import { type Opening, tryWraps } from './opening.ts'

/**
 * Returns wraps of the same data key under the configured KEKs.
 *
 * @throws KmsError `ERR_DECRYPT_FAILED`, or the KMS's error
 */
export async function rewrapKey(
  bounds: CallBounds,
  failed: FailedHeaders,
  opening: Opening,
  options: RewrapKeyOptions,
): Promise<readonly WrappedKey[]> {
  const { header, canonical, context } = opening
  const call = { ...options, context }
  const proves = async (plaintext: SecretBytes): Promise<boolean> =>
    (await openKeys(plaintext, header, canonical)) !== undefined

  /** @param code - of a new wrap that opens to another DEK */
  const checked = async (
    wraps: readonly WrappedKey[],
    code: KmsErrorCode,
  ): Promise<readonly WrappedKey[]> => {
    if (options.verify === 'kms') return wraps
    for (const wrap of wraps) {
      const { plaintext } = await askKms(bounds, 'unwrapDataKey', call, [wrap])
      if (!(await proves(plaintext))) throw new KmsError(code) // W3.32
    }
    return wraps
  }

  if (bounds.kms.capabilities.rewrapsInside || options.verify === 'kms') {
    const rewrap = async (): Promise<readonly WrappedKey[]> =>
      checked(await askKms(bounds, 'rewrapDataKey', call, opening.wraps), 'ERR_DECRYPT_FAILED')
    // Of two keys that are asked here, the missing one may be the new: only rewraps are refused for it.
    const use = { id: `rewrap ${opening.id}` }
    failed.check(use)
    return failed.learn(use, () => failed.learn(opening, rewrap, /DECRYPT/))
  }
  /** The proof disposes what it is given, and the DEK is needed once more. */
  const proven = async (plaintext: SecretBytes): Promise<SecretBytes | undefined> => {
    const dek = SecretBytes.copy(plaintext.expose())
    let isRight = false
    try {
      isRight = await proves(plaintext)
      return isRight ? dek : undefined
    } finally {
      if (!isRight) dek.dispose()
    }
  }
  // The old wrap is proven before there is a new one, which cannot be the header's fault.
  const dek = await failed.learn(opening, () => tryWraps(bounds, opening, options, proven))
  try {
    const wraps = await askKms(bounds, 'wrapDataKey', call, dek)
    return await checked(wraps, 'ERR_KMS_RESPONSE_INVALID') // the old wrap was right
  } finally {
    dek.dispose()
  }
}
