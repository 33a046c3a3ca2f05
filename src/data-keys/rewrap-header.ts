import { KmsError } from '../errors.ts'
import {
  canonicalContext,
  type EncryptionContext,
  type KeyManagementService,
  kmsContext,
  type KmsCallOptions,
  SecretBytes,
  type WrappedKey,
} from '../kms/index.ts'
import { encodeKeyHeader, type KeyHeader } from '../wire/index.ts'
import type { RewrapKeyOptions } from './data-key-source.ts'
import { openKeys } from './derive-keys.ts'
import { checkHeader, eligibleWraps, withoutWrap } from './header-policy.ts'

/**
 * The same data key under the configured KEKs: every old wrap is dropped and exactly the
 * configured set is written (W3.30); all other fields stay (W3.31).
 *
 * @throws KmsError `ERR_ENVELOPE_UNKNOWN_KEY`, `ERR_DECRYPT_FAILED`, or the KMS's error
 */
export async function rewrapHeader(
  kms: KeyManagementService,
  header: KeyHeader,
  context: EncryptionContext | undefined,
  options: RewrapKeyOptions,
): Promise<KeyHeader> {
  checkHeader(kms, header, context)
  const canonical = canonicalContext(context)
  const call: KmsCallOptions = {
    signal: options.signal,
    defer: options.defer,
    context: kmsContext(canonical.map, header.salt, header.createdAtMs),
  }
  const proves = async (plaintext: SecretBytes): Promise<boolean> =>
    (await openKeys(plaintext, header, canonical)) !== undefined

  const old = eligibleWraps(kms, header)
  const inside = kms.capabilities.rewrapsInside || options.verify === 'kms'
  const wraps = inside
    ? await kms.rewrapDataKey(old, call)
    : await wrapAgain(kms, old, call, proves)
  if (options.verify === 'open') {
    for (const wrap of wraps) {
      const { plaintext } = await kms.unwrapDataKey([wrap], call)
      if (!(await proves(plaintext))) throw new KmsError('ERR_DECRYPT_FAILED') // W3.32
    }
  }
  return encodeKeyHeader(header, wraps)
}

/** Unwrap, check, wrap: for a KMS that cannot rewrap inside. */
async function wrapAgain(
  kms: KeyManagementService,
  old: readonly WrappedKey[],
  call: KmsCallOptions,
  proves: (plaintext: SecretBytes) => Promise<boolean>,
): Promise<readonly WrappedKey[]> {
  let wraps = old
  while (wraps.length > 0) {
    const { plaintext, by } = await kms.unwrapDataKey(wraps, call)
    try {
      // The proof disposes what it is given, and the DEK is needed once more.
      if (await proves(SecretBytes.copy(plaintext.expose()))) {
        return await kms.wrapDataKey(plaintext, call)
      }
    } finally {
      plaintext.dispose()
    }
    wraps = withoutWrap(wraps, by)
  }
  throw new KmsError('ERR_DECRYPT_FAILED')
}
