import type { Bytes } from '../bytes/index.ts'

/**
 * SHA-256 and HMAC-SHA-256 for the signatures of requests. WebCrypto's unless a platform brings
 * something cheaper, which may answer in the same turn. No part of any envelope.
 */
export interface Hasher<Key = unknown> {
  /** The digest of a text's UTF-8, in lower-case hex. */
  sha256(text: string): string | Promise<string>
  /** A key for `hmac`. The bytes are not kept. */
  hmacKey(bytes: Bytes): Key | Promise<Key>
  hmac(key: Key, text: string): Bytes | Promise<Bytes>
}
