import { createSign, generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { decodeBase64, decodeUtf8 } from '../../../../src/bytes/index.ts'
import {
  createVaultTransitKms,
  vaultAppRole,
  type VaultLogin,
  vaultAwsIam,
  vaultJwt,
  vaultKubernetes,
} from '../../../../src/providers/vault-transit/index.ts'
import { createFakeAws, createFakeVault, type FakeVault } from '../../../../adapters/fakes/index.ts'
import { codeOf } from '../aws/ports.ts'

const endpoint = 'https://vault.example.test:8200'
const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
const issuer = {
  issuer: 'https://issuer.example',
  keys: [publicKey.export({ format: 'jwk' }) as JsonWebKey],
}

function jwt(claims: object, signer = privateKey): string {
  const now = Math.floor(Date.now() / 1_000)
  const all = { iss: issuer.issuer, iat: now, exp: now + 60, aud: 'vault', ...claims }
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${part({ alg: 'RS256', typ: 'JWT' })}.${part(all)}`
  return `${signed}.${createSign('RSA-SHA256').update(signed).sign(signer, 'base64url')}`
}

const account = {
  sub: 'system:serviceaccount:prod:app',
  'kubernetes.io': { namespace: 'prod', serviceaccount: { name: 'app', uid: 'u' } },
}

const aws = createFakeAws()
const principalArn = 'arn:aws:iam::111122223333:user/app'
const create = (): FakeVault =>
  createFakeVault({
    namespaces: ['team'],
    keys: [{ name: 'app' }],
    appRoles: [{ roleId: 'role', secretIds: ['secret'] }, { roleId: 'open' }],
    jwt: { issuer, roles: [{ name: 'ci', audience: 'vault', subject: 'repo:acme/app' }] },
    kubernetes: { issuer, roles: [{ name: 'app', serviceAccount: 'prod:app' }] },
    aws: {
      sts: (request) => aws.fetch(request),
      serverId: 'vault.example',
      roles: [{ name: 'app', principalArn }],
    },
  })

const attempt = async (auth: VaultLogin, vault = create()) => {
  const { network } = vault
  const kms = createVaultTransitKms({ endpoint, key: 'app', auth, network })
  const code = await codeOf(kms.currentVersion({}))
  return { code, path: vault.calls[0]?.path, vault }
}

const ok = 'no error'
const refused = 'ERR_KMS_UNAUTHENTICATED'
const stranger = generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey
const of = (token: string) => () => Promise.resolve(token)
const iam = { credentials: aws.credentials, serverId: 'vault.example', role: 'app' }

describe('Vault logins', () => {
  const rows: readonly (readonly [string, () => VaultLogin, string, string])[] = [
    [
      'approle',
      () => vaultAppRole({ roleId: 'role', secretId: 'secret' }),
      ok,
      'auth/approle/login',
    ],
    [
      'a secret id by a function',
      () => vaultAppRole({ roleId: 'role', secretId: of('secret') }),
      ok,
      'auth/approle/login',
    ],
    [
      'approle without a secret id',
      () => vaultAppRole({ roleId: 'open' }),
      ok,
      'auth/approle/login',
    ],
    [
      'a wrong secret id',
      () => vaultAppRole({ roleId: 'role', secretId: 'x' }),
      refused,
      'auth/approle/login',
    ],
    [
      'another mount',
      () => vaultAppRole({ roleId: 'role', secretId: 'secret', mount: 'apps/approle' }),
      refused,
      'auth/apps/approle/login',
    ],
    [
      'a namespace',
      () => vaultAppRole({ roleId: 'role', secretId: 'secret', namespace: 'team' }),
      ok,
      'team/auth/approle/login',
    ],
    [
      'jwt',
      () => vaultJwt({ role: 'ci', jwt: of(jwt({ sub: 'repo:acme/app' })) }),
      ok,
      'auth/jwt/login',
    ],
    [
      'a jwt with a line break behind it',
      () => vaultJwt({ role: 'ci', jwt: of(`${jwt({ sub: 'repo:acme/app' })}\n`) }),
      ok,
      'auth/jwt/login',
    ],
    [
      'a jwt of another subject',
      () => vaultJwt({ role: 'ci', jwt: of(jwt({ sub: 'repo:evil' })) }),
      refused,
      'auth/jwt/login',
    ],
    [
      'a jwt of another signer',
      () => vaultJwt({ role: 'ci', jwt: of(jwt({ sub: 'repo:acme/app' }, stranger)) }),
      refused,
      'auth/jwt/login',
    ],
    [
      'kubernetes',
      () => vaultKubernetes({ role: 'app', jwt: of(jwt(account)) }),
      ok,
      'auth/kubernetes/login',
    ],
    [
      'another service account',
      () => vaultKubernetes({ role: 'app', jwt: of(jwt({ ...account, 'kubernetes.io': {} })) }),
      refused,
      'auth/kubernetes/login',
    ],
    ['aws', () => vaultAwsIam(iam), ok, 'auth/aws/login'],
    ['aws by a region', () => vaultAwsIam({ ...iam, region: 'eu-west-1' }), ok, 'auth/aws/login'],
    [
      'aws with a wrong secret',
      () => vaultAwsIam({ ...iam, credentials: { ...aws.credentials, secretAccessKey: 'x' } }),
      refused,
      'auth/aws/login',
    ],
    [
      'aws for another server',
      () => vaultAwsIam({ ...iam, serverId: 'other.example' }),
      refused,
      'auth/aws/login',
    ],
    [
      'aws without the server',
      () => vaultAwsIam({ credentials: aws.credentials, role: 'app' }),
      refused,
      'auth/aws/login',
    ],
  ]
  it.each(rows)('%s', async (_what, auth, code, path) => {
    expect(await attempt(auth())).toMatchObject({ code, path })
  })

  it.each(['', 'no token', 'a.b', 'a.b.c d'])(
    'send nothing where %j is the token',
    async (token) => {
      const { code, vault } = await attempt(vaultJwt({ role: 'ci', jwt: of(token) }))
      expect([code, vault.count()]).toEqual(['ERR_KMS_UNAUTHENTICATED', 0])
    },
  )

  it('R9: check mounts, namespaces and roles before they are used', () => {
    const secret = { roleId: 'role', secretId: 'secret' }
    const bad = [
      () => vaultAppRole({ ...secret, mount: '../sys' }),
      () => vaultAppRole({ ...secret, mount: 'a?b' }),
      () => vaultAppRole({ ...secret, mount: '' }),
      () => vaultAppRole({ ...secret, namespace: 'a//b' }),
      () => vaultAppRole({ ...secret, roleId: '' }),
      () => vaultKubernetes({ role: '', jwt: of('a.b.c') }),
      () => vaultAwsIam({ ...iam, region: 'eu.attacker.example/' }),
      () => vaultAwsIam({ ...iam, serverId: '' }),
    ]
    for (const make of bad)
      expect(make).toThrow(expect.objectContaining({ code: 'ERR_KMS_CONFIG' }))
  })

  it('by AWS sign a request to STS, for this server, and send no secret key', async () => {
    const bodies: string[] = []
    const vault = create()
    const network = {
      ...vault.network,
      fetch: (url: string, init: RequestInit) => {
        bodies.push((init.body ?? '') as string)
        return vault.network.fetch(url, init)
      },
    }
    const kms = createVaultTransitKms({ endpoint, key: 'app', auth: vaultAwsIam(iam), network })
    await kms.currentVersion({})
    const sent = JSON.parse(bodies[0] ?? '') as Record<string, string>
    const text = (name: string) => decodeUtf8(decodeBase64(sent[name] ?? '') ?? new Uint8Array(0))
    expect(text('iam_request_url')).toBe('https://sts.amazonaws.com/')
    expect(text('iam_request_body')).toBe('Action=GetCallerIdentity&Version=2011-06-15')
    expect(sent['iam_http_request_method']).toBe('POST')
    const headers = JSON.parse(text('iam_request_headers') ?? '') as Record<string, string>
    expect(headers['authorization']).toMatch(
      /SignedHeaders=content-type;host;x-amz-date;x-vault-aws-iam-server-id,/,
    )
    const all = `${bodies.join('')}${text('iam_request_headers') ?? ''}`
    expect(all).not.toContain(aws.credentials.secretAccessKey)
  })

  it('by AWS ask for other credentials once STS has refused some', async () => {
    let asked = 0
    const good = aws.credentials
    const auth = vaultAwsIam({
      ...iam,
      credentials: () => {
        asked += 1
        return Promise.resolve(asked === 1 ? { ...good, secretAccessKey: 'stale' } : good)
      },
    })
    const vault = create()
    const { network } = vault
    const kms = createVaultTransitKms({ endpoint, key: 'app', auth, network })
    expect(await codeOf(kms.currentVersion({}))).toBe(refused)
    expect(await codeOf(kms.currentVersion({}))).toBe(ok)
  })
})
