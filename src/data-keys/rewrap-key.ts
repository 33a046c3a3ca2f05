import { KmsError, type KmsErrorCode } from '../errors.ts'
import { SecretBytes, type WrappedKey } from '../kms/index.ts'
import type { KmsCaller } from './ask.ts'
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
  kms: KmsCaller,
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
      const { plaintext } = await kms.ask('unwrapDataKey', call, [wrap])
      if (!(await proves(plaintext))) throw new KmsError(code) // W3.32
    }
    return wraps
  }

  if (kms.capabilities.rewrapsInside || options.verify === 'kms') {
    const rewrap = async (): Promise<readonly WrappedKey[]> =>
      checked(await kms.ask('rewrapDataKey', call, opening.wraps), 'ERR_DECRYPT_FAILED')
    // Of two keys that are asked here, the missing one may be the new.
    return failed.learn(opening, rewrap, /DECRYPT/)
  }
  let dek: SecretBytes | undefined
  /** The proof disposes what it is given, and the DEK is needed once more. */
  const keep = async (plaintext: SecretBytes): Promise<true | undefined> => {
    dek?.dispose()
    dek = plaintext
    return (await proves(SecretBytes.copy(dek.expose()))) || undefined
  }
  let wraps: readonly WrappedKey[]
  try {
    // The old wrap is proven before there is a new one, which cannot be the header's fault.
    await failed.learn(opening, () => tryWraps(kms, opening, options, keep))
    wraps = await kms.ask('wrapDataKey', call, dek as unknown as SecretBytes)
  } finally {
    dek?.dispose()
  }
  return checked(wraps, 'ERR_KMS_RESPONSE_INVALID') // the old wrap was right
}
