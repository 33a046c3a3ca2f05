import { concatBytes, encodeBase64Url } from '../bytes/index.ts'
import { sha256 } from '../ciphers/index.ts'
import { KmsError } from '../errors.ts'
import {
  type CanonicalContext,
  canonicalContext,
  type EncryptionContext,
  type KeyManagementService,
  kmsContext,
  type KmsSignalOptions,
  recognizes,
  type SecretBytes,
  type UnwrappedDataKey,
  type UnwrapRequest,
  type WrappedKey,
} from '../kms/index.ts'
import type { KeyHeader } from '../wire/index.ts'
import { askKms, type CallBounds } from './ask.ts'

/** A header that is to be opened. */
export interface Opening extends UnwrapRequest {
  /**
   * A hash of all bytes of the header and of the context. Unlike a cache's identity it covers the
   * wraps: a message whose wraps were tampered with must block nobody else.
   */
  readonly id: string
  readonly header: KeyHeader
  readonly canonical: CanonicalContext
  /** Those that the service may open, in the message's order. */
  readonly wraps: readonly WrappedKey[]
}

/** @throws KmsError `ERR_CONTEXT_INVALID` */
export async function openingOf(
  kms: Pick<KeyManagementService, 'canUnwrap'>,
  header: KeyHeader,
  context: EncryptionContext | undefined,
): Promise<Opening> {
  const canonical = canonicalContext(context)
  return {
    id: encodeBase64Url(await sha256(concatBytes(header.bytes, canonical.bytes))),
    header,
    canonical,
    wraps: header.wraps.filter((wrap) => recognizes(kms, wrap, canonical.map)), // W3.26
    context: kmsContext(canonical.map, header.salt, header.createdAtMs),
  }
}

/**
 * Unwraps until `accept` takes what came out.
 *
 * @param first - the answer to the first call, where it was made already
 * @throws KmsError `ERR_DECRYPT_FAILED` if no wrap is left, or the KMS's error
 */
export async function tryWraps<T>(
  bounds: CallBounds,
  { wraps, context }: Opening,
  options: KmsSignalOptions,
  accept: (plaintext: SecretBytes) => Promise<T | undefined>,
  first?: UnwrappedDataKey,
): Promise<T> {
  let answer = first
  let left = wraps
  while (left.length > 0) {
    answer ??= await askKms(bounds, 'unwrapDataKey', { ...options, context }, left)
    const accepted = await accept(answer.plaintext)
    if (accepted !== undefined) return accepted
    // W3.29: a wrap that opens to another DEK must not hide the one that is right.
    left = withoutWrap(left, answer.by)
    answer = undefined
  }
  throw new KmsError('ERR_DECRYPT_FAILED')
}

/**
 * Returns the wraps that are left after one was tried. Compared by key, not by object: a KMS may answer
 * with a copy, and each wrap must be tried once at most.
 */
function withoutWrap(wraps: readonly WrappedKey[], by: WrappedKey): readonly WrappedKey[] {
  const left = wraps.filter((wrap) => wrap.kekId !== by.kekId || wrap.provider !== by.provider)
  return left.length < wraps.length ? left : []
}
