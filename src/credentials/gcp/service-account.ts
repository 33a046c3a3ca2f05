import { configError, describe, plainOptions, refuseOthers } from '../../checks/index.ts'
import { importPKCS8, SignJWT } from 'jose'
import type { KmsError } from '../../errors.ts'
import { encodeUtf8 } from '../../bytes/index.ts'
import { parseJsonObject } from '../../http/index.ts'
import type { Network, Runtime } from '../../ports/index.ts'
import {
  correctedSkew,
  type FlightOptions,
  Refreshing,
  webNetwork,
  webRuntime,
} from '../../runtime/index.ts'
import { checkOptional } from './check-optional.ts'
import type { GcpAccessToken, GcpCredentialSource } from './credentials.ts'

/** The fields of a service account's key file that are used. */
export interface GcpServiceAccountKey {
  readonly client_email: string
  /** PKCS #8 in PEM. */
  readonly private_key: string
  readonly private_key_id: string
}

/** Options of {@link gcpServiceAccount}. */
export interface GcpServiceAccountOptions {
  /** The key file: its text, or the parsed object. */
  readonly key: string | GcpServiceAccountKey
  /** The one service that its JWTs are for; `https://cloudkms.googleapis.com/` by default. */
  readonly audience?: string
  /** Replaces the audience: JWTs for all services of this OAuth scope. */
  readonly scope?: string
  readonly runtime?: Runtime
  readonly network?: Network
}

const LIFE_SECONDS = 3_600

/**
 * Returns credentials of a service account by its key. It signs its own JWTs as bearer tokens, so it does not call a
 * token endpoint. A JWT is valid for an hour.
 *
 * @remarks Security: such a key is a secret that never expires. Prefer {@link gcpWorkloadIdentity} or
 * {@link gcpMetadataServer} if you can.
 * @throws KmsError `ERR_KMS_CONFIG`
 * @see https://google.aip.dev/auth/4111
 *
 * @example
 * ```ts
 * import { createGcpKms, gcpServiceAccount } from 'edge-kms/gcp-kms'
 *
 * export function kmsOf(env: { GCP_KEY: string }) {
 *   return createGcpKms({
 *     keyName: 'projects/acme-prod/locations/europe-west3/keyRings/app/cryptoKeys/data',
 *     credentials: gcpServiceAccount({ key: env.GCP_KEY }),
 *   })
 * }
 * ```
 */
export function gcpServiceAccount(options: GcpServiceAccountOptions): GcpCredentialSource {
  const {
    key,
    audience,
    scope,
    runtime = webRuntime,
    network = webNetwork,
    ...others
  } = plainOptions(options)
  refuseOthers(others)
  checkOptional('audience', audience)
  checkOptional('scope', scope)
  if (audience !== undefined && scope !== undefined)
    throw configError('audience and scope exclude each other: give one of them')
  const claims = scope === undefined ? { aud: audience ?? KMS_AUDIENCE } : { scope }
  return new ServiceAccount(readKey(key), claims, runtime, network)
}

const KMS_AUDIENCE = 'https://cloudkms.googleapis.com/'

class ServiceAccount implements GcpCredentialSource {
  readonly #runtime: Runtime
  readonly #refreshing: Refreshing<GcpAccessToken>
  /** How far Google's clock is ahead of ours, milliseconds. */
  #skewMs = 0

  constructor(
    key: GcpServiceAccountKey,
    claims: Readonly<Record<string, string>>,
    runtime: Runtime,
    network: Network,
  ) {
    this.#runtime = runtime
    let signingKey: CryptoKey | undefined
    this.#refreshing = new Refreshing(
      async (): Promise<GcpAccessToken> => {
        signingKey ??= await importKey(key.private_key)
        const iat = Math.floor((runtime.now() + this.#skewMs) / 1_000)
        const exp = iat + LIFE_SECONDS
        const { client_email: email, private_key_id: kid } = key
        const token = await new SignJWT({ ...claims, iss: email, sub: email, iat, exp })
          .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid })
          .sign(signingKey)
        return { token, expiresAtMs: exp * 1_000 - this.#skewMs }
      },
      { runtime, network },
    )
  }

  get(options: FlightOptions): Promise<GcpAccessToken> {
    return this.#refreshing.get(options)
  }

  refused(token: GcpAccessToken, serverTimeMs: number): void {
    const skewMs = correctedSkew(serverTimeMs, this.#runtime.now(), this.#skewMs)
    if (skewMs !== undefined) this.#skewMs = skewMs
    this.#refreshing.refused(token)
  }
}

function readKey(given: string | GcpServiceAccountKey): GcpServiceAccountKey {
  const key: unknown =
    typeof given === 'string' ? parseJsonObject(encodeUtf8(given)) : Object(given)
  if (key === undefined) throw wrongKey('it', 'a JSON object', 'text that is not one')
  const field = (name: keyof GcpServiceAccountKey, form: RegExp, expected: string): string => {
    const value: unknown = (key as Partial<GcpServiceAccountKey>)[name]
    if (typeof value === 'string' && form.test(value)) return value
    throw wrongKey(name, expected, kindOf(value))
  }
  return {
    client_email: field('client_email', /^[\w.+-]{1,256}@[\w.-]{1,256}$/, 'an e-mail address'),
    private_key: field(
      'private_key',
      /^-----BEGIN PRIVATE KEY-----[\s\w+/=]+-----END PRIVATE KEY-----\s*$/,
      PEM,
    ),
    private_key_id: field('private_key_id', /^\w{1,128}$/, '1 to 128 letters and digits'),
  }
}

const PEM = 'an RSA key as PEM of PKCS #8 (BEGIN PRIVATE KEY)'

function wrongKey(name: string, expected: string, got: string): KmsError {
  return configError(
    `key must be the JSON of a service account's key: ${name} must be ${expected}, got ${got}`,
  )
}

/** PEM of these is often mistaken for that of PKCS #8. */
const OTHER_PEM = /^-----BEGIN ((?:RSA|EC|ENCRYPTED) PRIVATE KEY|PUBLIC KEY|CERTIFICATE)-----/

/** Returns the kind of a value of the key file. Never the value: it may be the private key. */
function kindOf(value: unknown): string {
  if (typeof value !== 'string' || value === '') return describe(value)
  const label = OTHER_PEM.exec(value)?.[1]
  if (label !== undefined) return `PEM of another kind (BEGIN ${label})`
  if (value.includes('\\n')) return 'a string with the two characters \\n instead of line breaks'
  return 'a string of another form'
}

/** Not extractable. The error does not say what is wrong with a key: a parser's message may quote it. */
async function importKey(pem: string): Promise<CryptoKey> {
  try {
    return await importPKCS8(pem, 'RS256')
  } catch {
    throw wrongKey('private_key', PEM, 'PEM that cannot be read as one')
  }
}
