import { encodeBase64 } from '../../../src/bytes/index.ts'
import type { Network } from '../../../src/ports/index.ts'
import { type FakeClock, movableClock } from '../support/clock.ts'
import { surfaceOf } from '../support/fake-surface.ts'
import type { FakeGcpCall } from './calls.ts'
import { FakeGcpServer } from './fake-gcp-server.ts'
import type { FakeGcpFaults } from './faults.ts'
import { KeyStore } from './key-store.ts'
import type { FakeGcpKeyOptions, FakeGcpOptions } from './options.ts'
import { Tokens } from './tokens.ts'

/** Cloud KMS and the token endpoints in one process: what {@link createFakeGcp} makes. */
export interface FakeGcp {
  /** Answers one request, for any host. Rejects if a scripted fault breaks the connection. */
  fetch(request: Request): Promise<Response>
  /** A `Network` whose every request ends here, whatever its URL; timers are real. */
  readonly network: Network
  readonly projectId: string
  readonly location: string
  /** An access token of the first service account that does not expire. */
  readonly credentials: { readonly token: string }
  readonly clock: FakeClock
  readonly faults: FakeGcpFaults
  /** Every request so far, in the order of arrival. */
  readonly calls: readonly FakeGcpCall[]
  /** How many requests there were, of one operation or of all. */
  count(operation?: string): number
  /** Forgets the calls so far; keys and tokens stay. */
  forgetCalls(): void
  /**
   * Makes a key without a request.
   *
   * @returns its resource name
   */
  createKey(options?: FakeGcpKeyOptions): string
  /** A key file of a service account, as the console would download it. */
  createServiceAccountKey(email?: string): Promise<string>
}

/**
 * Returns Cloud KMS on the wire, for tests, with IAM Credentials, STS, OAuth and the metadata server: real
 * encryption, checksums, JWTs and permissions in memory, faults by script, and no network. A plain fetch handler:
 * call it, put it behind a server, or run it inside a Worker (there make it inside the handler: random bytes are
 * refused at the top level).
 *
 * Strict where other emulators are not: additional data, checksums, states of versions, sizes by
 * protection level, tokens, and Google's own form of errors. Only keys for symmetric encryption
 * work; a new primary version is there at once, which takes Google up to hours.
 *
 * @remarks Security: keys live in memory and in clear. Never put data under them that matters.
 *
 * @example
 * ```ts
 * import { EnvelopeCipher } from 'edge-kms'
 * import { createGcpKms } from 'edge-kms/gcp-kms'
 * import { createFakeGcp } from 'edge-kms/testing'
 *
 * export async function encryptsAgainAfterThrottling(): Promise<number> {
 *   const gcp = createFakeGcp()
 *   const { credentials, network } = gcp
 *   const kms = createGcpKms({ keyName: gcp.createKey(), credentials, network })
 *   const cipher = new EnvelopeCipher({ kms })
 *   gcp.faults.push({ operation: 'Encrypt', kind: 'throttle' })
 *   await cipher.encryptText('hello').catch(() => cipher.encryptText('hello'))
 *   return gcp.count('Encrypt')
 * }
 * ```
 */
export function createFakeGcp(options: FakeGcpOptions = {}): FakeGcp {
  const { projectId = 'acme-prod', location = 'europe-west3', now = Date.now } = options
  const app = { email: `app@${projectId}.iam.gserviceaccount.com` }
  const { serviceAccounts = [app] } = options
  const [first = app] = serviceAccounts
  const clock = movableClock(now)
  const keys = new KeyStore(() => clock.now())
  const hosts = ['cloudkms.googleapis.com', 'iamcredentials.googleapis.com']
  const tokens = new Tokens(serviceAccounts, hosts)
  const server = new FakeGcpServer({
    keys,
    tokens,
    poolProviders: options.poolProviders ?? [],
    machine: first.email,
    defects: new Set(options.defects),
    clock,
  })
  let made = 0
  const createKey = (key: FakeGcpKeyOptions = {}): string => {
    const { keyRing = 'app', purpose = 'ENCRYPT_DECRYPT', protectionLevel = 'SOFTWARE' } = key
    const ring = `projects/${projectId}/locations/${key.location ?? location}/keyRings/${keyRing}`
    if (!keys.hasRing(ring)) keys.addRing(ring)
    made += 1
    const name = `${ring}/cryptoKeys/${key.id ?? `data-${String(made)}`}`
    const { generationMs = 0 } = key
    return keys.addKey({ name, purpose, protectionLevel, generationMs }, true).name
  }
  options.keys?.forEach(createKey)
  return Object.assign(surfaceOf(server, clock), {
    projectId,
    location,
    credentials: { token: tokens.issue(tokens.principalOf(first), Infinity) },
    createKey,
    createServiceAccountKey: (email = first.email) => keyFile(tokens, email, projectId),
  })
}

async function keyFile(tokens: Tokens, email: string, projectId: string): Promise<string> {
  const algorithm = {
    name: 'RSASSA-PKCS1-v1_5',
    modulusLength: 2_048,
    publicExponent: new Uint8Array([1, 0, 1]),
    hash: 'SHA-256',
  }
  const pair = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const pkcs8 = new Uint8Array(await crypto.subtle.exportKey('pkcs8', pair.privateKey))
  const id = tokens.addKey(email, await crypto.subtle.exportKey('jwk', pair.publicKey))
  const lines = encodeBase64(pkcs8).replace(/.{64}/g, '$&\n')
  return JSON.stringify({
    type: 'service_account',
    project_id: projectId,
    private_key_id: id,
    private_key: `-----BEGIN PRIVATE KEY-----\n${lines}\n-----END PRIVATE KEY-----\n`,
    client_email: email,
    token_uri: 'https://oauth2.googleapis.com/token',
    universe_domain: 'googleapis.com',
  })
}
