import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto'
import type { Hasher } from '../../src/index.ts'

/**
 * Signs requests with `node:crypto`: the same bytes as WebCrypto, without a way to a thread and
 * back for each of the three steps of a signature. Keys and data are never touched by it.
 *
 * @remarks Security: the signing key of a day is a `KeyObject`, which code in the same process that
 * holds it could export; WebCrypto's key could not be.
 */
export const nodeHasher: Hasher = {
  sha256: (text) => hash('sha256', text),
  hmacKey: (bytes) => createSecretKey(bytes),
  hmac: (key, text) =>
    new Uint8Array(
      createHmac('sha256', key as KeyObject)
        .update(text)
        .digest(),
    ),
}
