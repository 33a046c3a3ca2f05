import { checkOptions, optionError, type OptionKinds } from '../../checks/index.ts'
import { importPKCS8, SignJWT } from 'jose'
import { type Bytes, decodeBase64, encodeBase64Url } from '../../bytes/index.ts'
import { webRuntime } from '../../runtime/index.ts'
import { assertionProof, ENTRA_KINDS, entraCredentials, type EntraOptions } from './entra.ts'
import type { AzureCredentialSource } from './token.ts'

/** Options of {@link azureClientCertificate}. */
export interface AzureClientCertificateOptions extends EntraOptions {
  /** The certificate that is registered for the application, PEM. A PEM with certificate and key works for both options. */
  readonly certificate: string
  /** Its private key: RSA, PKCS#8, PEM, not encrypted. */
  readonly privateKey: string
}

const KINDS: OptionKinds<AzureClientCertificateOptions> = /* @__PURE__ */ (() => ({
  ...ENTRA_KINDS,
  certificate: 'string',
  privateKey: 'string',
}))()

/** Life of an assertion, seconds: it is used at once. */
const LIFE_SECONDS = 300

/**
 * Returns credentials of an application that proves itself with a certificate. Entra ID sees signatures, never the
 * key.
 *
 * @throws KmsError `ERR_KMS_CONFIG`; for a private key that cannot be read at the first use
 * @see https://learn.microsoft.com/entra/identity-platform/certificate-credentials
 */
export function azureClientCertificate(
  options: AzureClientCertificateOptions,
): AzureCredentialSource {
  checkOptions(options, KINDS)
  const { clientId, privateKey, runtime = webRuntime } = options
  const der = derOf(options.certificate)
  const pem = privateKeyOf(privateKey)
  return entraCredentials(options, async ({ tokenUrl }) => {
    // Imported anew: on Workers what one request waits for must not belong to another.
    const key = await importPKCS8(pem, 'PS256').catch(() => {
      throw optionError('privateKey', 'must be an RSA key')
    })
    const thumbprint = new Uint8Array(await crypto.subtle.digest('SHA-256', der))
    const seconds = Math.floor(runtime.now() / 1_000)
    const assertion = new SignJWT()
      .setProtectedHeader({
        alg: 'PS256',
        typ: 'JWT',
        'x5t#S256': encodeBase64Url(thumbprint),
      })
      .setIssuer(clientId)
      .setSubject(clientId)
      .setAudience(tokenUrl)
      .setJti(encodeBase64Url(runtime.randomFill(new Uint8Array(16))))
      .setIssuedAt(seconds)
      .setNotBefore(seconds)
      .setExpirationTime(seconds + LIFE_SECONDS)
    return assertionProof(await assertion.sign(key))
  })
}

/** The first certificate of a PEM text. */
function derOf(pem: unknown): Bytes {
  const [, text = ''] =
    /-----BEGIN CERTIFICATE-----([\s\w+/=]{1,16384})-----END CERTIFICATE-----/.exec(String(pem)) ??
    []
  const der = decodeBase64(text.replace(/\s/g, '')) ?? new Uint8Array(0)
  // A sequence: what every certificate begins with.
  if (der.length < 100 || der[0] !== 0x30)
    throw optionError('certificate', 'must be PEM: -----BEGIN CERTIFICATE-----')
  return der
}

/** Returns the private key of a PEM text alone: jose wants nothing before it. */
function privateKeyOf(pem: unknown): string {
  const text = String(pem)
  const [key] =
    /-----BEGIN PRIVATE KEY-----[\s\w+/=]{1,32768}-----END PRIVATE KEY-----/.exec(text) ?? []
  if (key !== undefined) return key
  const hint = /-----BEGIN (?:RSA|EC) PRIVATE KEY-----/.test(text)
    ? ': convert it with openssl pkcs8 -topk8 -nocrypt'
    : /-----BEGIN ENCRYPTED PRIVATE KEY-----/.test(text)
      ? ', not encrypted'
      : ''
  throw optionError('privateKey', `must be PKCS#8 in PEM, -----BEGIN PRIVATE KEY-----${hint}`)
}
