import { type Bytes, encodeUtf8, equalBytesConstantTime } from '../../../src/bytes/index.ts'
import type { Authorization } from './authorization.ts'
import type { ReceivedRequest } from '../support/front-door.ts'
import { canonicalRequest, stringToSign } from './canonical-request.ts'
import { hex, hmac, hmacKey } from './primitives.ts'

/** A secret, and the name under which its derived key is kept. */
export interface SigningSecret {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/**
 * Verifies Signature Version 4 from the received request alone; shares no code with the signer of
 * this package.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
 */
export class SignatureVerifier {
  readonly #keys = new Map<string, { readonly scope: string; readonly key: CryptoKey }>()

  /** Whether the signature is that of this request under this secret. */
  async matches(
    request: ReceivedRequest,
    authorization: Authorization,
    secret: SigningSecret,
  ): Promise<boolean> {
    const { signedHeaders, signature, amzDate, date, region, service, terminator } = authorization
    // The list is part of what is signed, and must be in order.
    if ([...signedHeaders].sort().join() !== signedHeaders.join()) return false
    const scope = [date, region, service, terminator]
    const canonical = await canonicalRequest(request, signedHeaders)
    const text = await stringToSign(canonical, amzDate, scope.join('/'))
    const expected = await hmac(await this.#signingKey(secret, scope), text)
    return equalBytesConstantTime(encodeUtf8(hex(expected)), encodeUtf8(signature))
  }

  async #signingKey(secret: SigningSecret, scope: readonly string[]): Promise<CryptoKey> {
    const name = scope.join('/')
    const kept = this.#keys.get(secret.accessKeyId)
    if (kept?.scope === name) return kept.key
    let bytes: Bytes = encodeUtf8(`AWS4${secret.secretAccessKey}`)
    for (const part of scope) bytes = await hmac(await hmacKey(bytes), part)
    const key = await hmacKey(bytes)
    this.#keys.set(secret.accessKeyId, { scope: name, key })
    return key
  }
}
