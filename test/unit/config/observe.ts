import { createKms, type CreateKmsOptions, type KmsConfig } from '../../../src/config/index.ts'
import { isKmsError } from '../../../src/errors.ts'
import { SecretBytes, type WrappedKey } from '../../../src/kms/index.ts'
import { testPorts } from '../credentials/aws/ports.ts'

/** A configuration that may be wrong. */
export type AnyConfig = Readonly<Record<string, unknown>>

const context = { 'edge-kms:dk': 'salt.1' }

/** Wraps that one configuration may open and another not. */
const wraps: readonly WrappedKey[] = [
  ['aws-kms', 'arn:aws:kms:us-east-1:111122223333:key/mrk-1234abcd1234abcd1234abcd1234abcd'],
  ['aws-kms', 'arn:aws:kms:eu-west-1:111122223333:key/mrk-1234abcd1234abcd1234abcd1234abcd'],
  ['azure-key-vault', 'https://acme.vault.azure.net/keys/app', '0'.repeat(32)],
  ['local', 'app', '1'],
  ['local', 'other', '1'],
  ['local', 'app', '2'],
  ['vault-transit', 'transit/app', '1'],
  ['vault-transit', 'elsewhere/app', '1'],
  ['vault-transit', 'named', '1'],
].map(([provider = '', kekId = '', kekVersion = '']) => ({
  provider,
  kekId,
  kekVersion,
  wrapped: new TextEncoder().encode(`vault:v1:${'A'.repeat(80)}`).slice(0, 256),
}))

/** An answer that lets the first step of every login and metadata service pass. */
function answer(url: string): Response {
  const body = {
    access_token: 'token-of-the-answer',
    token_type: 'Bearer',
    expires_in: 3_599,
    accessToken: 'token-of-the-answer',
    expireTime: '2099-01-01T00:00:00Z',
    auth: { client_token: 'hvs.token', lease_duration: 3_600, renewable: true },
    AccessKeyId: 'ASIA0',
    SecretAccessKey: 'kY7-issued-0001',
    Token: 'session',
    Expiration: '2099-01-01T00:00:00Z',
    AssumeRoleResponse: { AssumeRoleResult: { Credentials: session } },
    AssumeRoleWithWebIdentityResponse: {
      AssumeRoleWithWebIdentityResult: { Credentials: session },
    },
    data: {
      name: new URL(url).pathname.split('/').at(-1),
      type: 'aes256-gcm96',
      latest_version: 1,
      derived: false,
      supports_encryption: true,
      supports_decryption: true,
      ciphertext: `vault:v1:${'A'.repeat(80)}`,
      key_version: 1,
      ttl: 3_600,
      renewable: true,
    },
  }
  const moves = url.startsWith('https://vault.example.com:8200/v1/transit/')
  if (moves)
    return new Response(null, {
      status: 307,
      headers: { location: url.replace('vault.example', 'vault-1.example') },
    })
  return Response.json(body, { headers: { 'metadata-flavor': 'Google' } })
}
const session = {
  AccessKeyId: 'ASIA1',
  SecretAccessKey: 'kY7-issued-0001',
  SessionToken: 'session',
  Expiration: 4_000_000_000,
}

/** Everything that can be seen of a KMS from outside: what it refuses, sends, opens and waits for. */
export async function observe(config: AnyConfig, options: CreateKmsOptions = {}): Promise<string> {
  const ports = testPorts(({ url }) => answer(url))
  const delays = new Set<number>()
  const seen: unknown[] = []
  const network = {
    ...ports.network,
    after: (delayMs: number, callback: () => void) => {
      delays.add(delayMs)
      return ports.network.after(delayMs, callback)
    },
  }
  let filled = 0
  const runtime = {
    ...ports.runtime,
    randomFill: (bytes: Uint8Array<ArrayBuffer>) => bytes.map((_, i) => (filled += 1) + i),
  }
  const attempt = async (work: () => unknown): Promise<void> => {
    try {
      const value: unknown = await work()
      seen.push(value instanceof SecretBytes ? 'bytes' : value)
    } catch (error) {
      seen.push(isKmsError(error) ? error.toJSON() : String(error))
    }
  }
  await attempt(async () => {
    const kms = createKms(config as unknown as KmsConfig, {
      resolve: (reference) => ('env' in reference ? `env-${reference.env}` : 'file'),
      ...options,
      runtime,
      network,
    })
    seen.push(
      kms.capabilities,
      wraps.map((wrap) => kms.canUnwrap(wrap)),
    )
    await attempt(() => kms.generateDataKey({ context }))
    await attempt(() =>
      kms.unwrapDataKey(
        wraps.filter((wrap) => kms.canUnwrap(wrap)),
        { context },
      ),
    )
    await attempt(() => kms.healthCheck({}))
    // Tokens are near their end.
    ports.advance(3_400_000)
    await attempt(() => kms.generateDataKey({ context }))
    return 'made'
  })
  const sent = ports.sent.map(({ url, method, headers, body }) => [
    method,
    url,
    Object.fromEntries(headers),
    body,
  ])
  return JSON.stringify([seen, sent, [...delays]], (_key, value: unknown) =>
    value instanceof Uint8Array ? [...value].join() : value,
  )
}
