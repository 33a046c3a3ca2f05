// Each vendor from the variables that its own clients read, against the fake of that vendor.
import { beforeAll, describe, expect, it } from 'vitest'
import {
  type KmsSource,
  type Network,
  type Stack,
  stackFromEnv,
  type StackFromEnvOptions,
} from '../../../src/index.ts'
import { awsKmsFromEnv } from '../../../src/providers/aws-kms/index.ts'
import { azureKmsFromEnv } from '../../../src/providers/azure-key-vault/index.ts'
import { gcpKmsFromEnv } from '../../../src/providers/gcp-kms/index.ts'
import { localKmsFromEnv } from '../../../src/providers/local/index.ts'
import { vaultKmsFromEnv } from '../../../src/providers/vault-transit/index.ts'
import {
  createFakeAws,
  createFakeAzure,
  createFakeGcp,
  createFakeVault,
} from '../../../adapters/fakes/index.ts'
import { testCertificate } from '../credentials/azure/certificate.ts'
import { type TestIssuer, testIssuer } from './tokens.ts'

const options = { context: { tenant: 'acme' } }
const clientId = '72f0a1c4-0000-4000-8000-000000000002'
const roleArn = 'arn:aws:iam::111122223333:role/pod'

let issuer: TestIssuer
beforeAll(async () => {
  issuer = await testIssuer()
})

type Env = Readonly<Record<string, unknown>>

/** Encrypts with one stack, and decrypts with another one of the same environment. */
async function works(
  env: Env,
  kms: KmsSource,
  more: Omit<StackFromEnvOptions, 'kms'> = {},
): Promise<Stack> {
  const stack = stackFromEnv(env, { kms, ...more })
  const text = await stack.cipher.encryptText('4111 1111', options)
  const other = stackFromEnv(env, { kms, ...more })
  expect(await other.cipher.decryptText(text, options)).toBe('4111 1111')
  return stack
}

/** Returns a reader of these files, which fails for all others. */
const filesOf =
  (files: Readonly<Record<string, string | (() => Promise<string>)>>) =>
  async (path: string): Promise<string> => {
    const file = files[path]
    if (file === undefined) throw new Error(`ENOENT: ${path}`)
    return typeof file === 'string' ? file : file()
  }

describe('AWS KMS', () => {
  const aws = () => {
    const fake = createFakeAws({
      roles: [{ arn: roleArn, trust: { webIdentity: { issuer: issuer.issuer } } }],
      identityProviders: [
        { issuer: issuer.issuer, audiences: ['sts.amazonaws.com'], keys: issuer.keys },
      ],
      keys: [{ alias: 'alias/app' }],
    })
    const { accessKeyId, secretAccessKey } = fake.credentials
    const keys = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey }
    return { fake, network: fake.network, keys, arn: fake.createKey().arn }
  }

  it('by access keys, of a key by its ARN, whatever region the code is in', async () => {
    const { network, keys, arn } = aws()
    const env = { EDGE_KMS_AWS_KEY_ID: arn, AWS_REGION: 'eu-west-1', ...keys }
    const { kms } = await works(env, awsKmsFromEnv, { network })
    expect(kms.providerName).toBe('aws-kms')
  })

  it('by temporary keys, whose session token goes with each request', async () => {
    const { network, keys, arn } = aws()
    const tokens: (string | null)[] = []
    const watched: Network = {
      fetch: (url, init) => {
        tokens.push(new Headers(init.headers).get('x-amz-security-token'))
        return network.fetch(url, init)
      },
      after: (delayMs, callback) => network.after(delayMs, callback),
      jitter: () => network.jitter(),
    }
    const env = { EDGE_KMS_AWS_KEY_ID: arn, ...keys, AWS_SESSION_TOKEN: 'temporary' }
    const { cipher } = stackFromEnv(env, {
      kms: awsKmsFromEnv,
      network: watched,
      resilience: 'development',
    })
    // The fake has issued no such token.
    await expect(cipher.encryptText('hello')).rejects.toMatchObject({
      code: 'ERR_KMS_UNAUTHENTICATED',
    })
    expect(new Set(tokens)).toEqual(new Set(['temporary']))
  })

  it.each(['AWS_REGION', 'AWS_DEFAULT_REGION'])('by an alias and %s', async (name) => {
    const { network, keys } = aws()
    await works({ EDGE_KMS_AWS_KEY_ID: 'alias/app', [name]: 'us-east-1', ...keys }, awsKmsFromEnv, {
      network,
    })
  })

  it('a line break behind a value is not part of it', async () => {
    const { network, keys, arn } = aws()
    const lines = Object.entries({ ...keys, EDGE_KMS_AWS_KEY_ID: arn })
    await works(Object.fromEntries(lines.map(([k, v]) => [k, `${v}\n`])), awsKmsFromEnv, {
      network,
    })
  })

  it('by a web identity, whose token is read from its file at each refresh', async () => {
    const { fake, network, arn } = aws()
    let reads = 0
    const readTextFile = filesOf({
      '/token': () => {
        reads += 1
        return issuer.token({ sub: 'pod', aud: 'sts.amazonaws.com' })
      },
    })
    const env = {
      EDGE_KMS_AWS_KEY_ID: arn,
      AWS_WEB_IDENTITY_TOKEN_FILE: '/token',
      AWS_ROLE_ARN: roleArn,
      AWS_ROLE_SESSION_NAME: 'pod-1',
    }
    await works(env, awsKmsFromEnv, { network, readTextFile })
    expect(reads).toBe(2)
    expect(fake.count('AssumeRoleWithWebIdentity')).toBe(2)
  })

  it.each([
    [
      'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
      '/v2/credentials/1',
      'http://169.254.170.2/v2/credentials/1',
    ],
    [
      'AWS_CONTAINER_CREDENTIALS_FULL_URI',
      'http://169.254.170.23/v1/credentials',
      'http://169.254.170.23/v1/credentials',
    ],
  ])('by %s, with the token of its file', async (name, value, url) => {
    const { fake, arn } = aws()
    const asked: string[] = []
    const fetch = (to: string, init: RequestInit): Promise<Response> => {
      if (to !== url) return fake.fetch(new Request(to, init))
      asked.push(new Headers(init.headers).get('authorization') ?? '')
      const { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey } = fake.credentials
      // The fake takes this access key with any session, as it knows none of it.
      const Expiration = new Date(Date.now() + 3_600_000).toISOString()
      return Promise.resolve(
        Response.json({ AccessKeyId, SecretAccessKey, Token: 't', Expiration }),
      )
    }
    const env = {
      EDGE_KMS_AWS_KEY_ID: arn,
      [name]: value,
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: '/auth',
    }
    const readTextFile = filesOf({ '/auth': 'proof\n' })
    const { kms } = stackFromEnv(env, { kms: awsKmsFromEnv, fetch, readTextFile })
    await kms.generateDataKey({ context: { 'edge-kms:dk': 'salt.1' } }).catch(() => undefined)
    expect(asked).toContain('proof')
  })

  it('AWS_USE_FIPS_ENDPOINT and AWS_USE_DUALSTACK_ENDPOINT choose the endpoint', async () => {
    const { fake, keys, arn } = aws()
    const hosts: string[] = []
    const fetch = (to: string, init: RequestInit): Promise<Response> => {
      hosts.push(new URL(to).hostname)
      return fake.fetch(new Request(to, init))
    }
    const flags = { AWS_USE_FIPS_ENDPOINT: 'true', AWS_USE_DUALSTACK_ENDPOINT: 'False' }
    const { cipher } = stackFromEnv(
      { EDGE_KMS_AWS_KEY_ID: arn, ...keys, ...flags },
      { kms: awsKmsFromEnv, fetch },
    )
    await cipher.encryptText('x').catch(() => undefined)
    expect(new Set(hosts)).toEqual(new Set(['kms-fips.us-east-1.amazonaws.com']))
  })

  it('options of its own beside the environment, by a function around it', async () => {
    const { network, arn, fake } = aws()
    const { credentials } = fake
    const kms: KmsSource = (env, o) => awsKmsFromEnv(env, { ...o, credentials, usage: 'decrypt' })
    const stack = stackFromEnv({ EDGE_KMS_AWS_KEY_ID: arn }, { kms, network })
    expect(stack.kms.capabilities.usage).toBe('decrypt')
  })
})

describe('Cloud KMS', () => {
  it('by the content of GOOGLE_APPLICATION_CREDENTIALS', async () => {
    const fake = createFakeGcp()
    const env = {
      EDGE_KMS_GCP_KEY_ID: fake.createKey(),
      GOOGLE_APPLICATION_CREDENTIALS: await fake.createServiceAccountKey(),
    }
    await works(env, gcpKmsFromEnv, { network: fake.network })
  })

  it('by the file that it names, read at the first use', async () => {
    const fake = createFakeGcp()
    const env = {
      EDGE_KMS_GCP_KEY_ID: fake.createKey(),
      GOOGLE_APPLICATION_CREDENTIALS: '/key.json',
    }
    const key = await fake.createServiceAccountKey()
    await works(env, gcpKmsFromEnv, {
      network: fake.network,
      readTextFile: filesOf({ '/key.json': key }),
    })
  })

  it('by the metadata server of the machine, which the variable of Google may move', async () => {
    const fake = createFakeGcp()
    const key = { EDGE_KMS_GCP_KEY_ID: fake.createKey() }
    await works(key, gcpKmsFromEnv, { network: fake.network })
    const hosts: string[] = []
    const fetch = (to: string, init: RequestInit): Promise<Response> => {
      hosts.push(new URL(to).host)
      return fake.fetch(new Request(to.replace('127.0.0.1:9090', 'metadata.google.internal'), init))
    }
    await works({ ...key, GCE_METADATA_HOST: '127.0.0.1:9090' }, gcpKmsFromEnv, { fetch })
    expect(hosts).toContain('127.0.0.1:9090')
  })

  it.each([
    ['text', (token: string) => token],
    ['json', (token: string) => JSON.stringify({ id_token: token })],
  ])(
    'by a workload identity whose token is in a file, as %s, that becomes a service account',
    async (type, file) => {
      const audience =
        '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/name'
      const email = 'app@acme-prod.iam.gserviceaccount.com'
      const fake = createFakeGcp({
        poolProviders: [{ audience, issuer: issuer.issuer, keys: issuer.keys }],
        serviceAccounts: [
          {
            email,
            tokenCreators: [
              'principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/subject/pod',
            ],
          },
        ],
      })
      const json = {
        type: 'external_account',
        audience,
        service_account_impersonation_url: `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${email}:generateAccessToken`,
        credential_source: {
          file: '/token',
          ...(type === 'json' && { format: { type, subject_token_field_name: 'id_token' } }),
        },
      }
      const env = {
        EDGE_KMS_GCP_KEY_ID: fake.createKey(),
        GOOGLE_APPLICATION_CREDENTIALS: JSON.stringify(json),
      }
      const token = (): Promise<string> => issuer.token({ sub: 'pod', aud: `https:${audience}` })
      const readTextFile = filesOf({ '/token': async () => file(await token()) })
      await works(env, gcpKmsFromEnv, { network: fake.network, readTextFile })
      expect(fake.count('GenerateAccessToken')).toBe(2)
    },
  )

  describe('by a workload identity', () => {
    const json = {
      type: 'external_account',
      audience:
        '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/name',
      credential_source: {
        file: '/token',
        format: { type: 'json', subject_token_field_name: 'id_token' },
      },
    }
    const kmsOf = (more: object, file = '{}') => {
      const fake = createFakeGcp()
      const hosts: string[] = []
      const network = {
        ...fake.network,
        fetch(url: string, init: RequestInit) {
          hosts.push(new URL(url).host)
          return fake.network.fetch(url, init)
        },
      }
      const env = {
        EDGE_KMS_GCP_KEY_ID: fake.createKey(),
        GOOGLE_APPLICATION_CREDENTIALS: JSON.stringify({ ...json, ...more }),
      }
      const readTextFile = filesOf({ '/token': () => Promise.resolve(file) })
      const { kms } = stackFromEnv(env, {
        kms: gcpKmsFromEnv,
        network,
        readTextFile,
        resilience: { retry: false },
      })
      return { kms, hosts }
    }

    it.each([
      [
        { subject_token_type: 'urn:ietf:params:oauth:token-type:saml2' },
        'subject_token_type must be',
      ],
      [{ token_url: 'https://sts.googleapis.com/v2' }, 'token_url must end in /v1/token'],
      [{ token_url: 'http://sts.example/v1/token' }, 'https'],
    ])('%o is refused', (more, said) => {
      expect(() => kmsOf(more)).toThrow(said)
    })

    it('asks the host of token_url', async () => {
      const token = JSON.stringify({ id_token: await issuer.token({ sub: 'pod', aud: 'x' }) })
      const { kms, hosts } = kmsOf(
        { token_url: 'https://sts.us-east4.rep.googleapis.com/v1/token' },
        token,
      )
      await kms.generateDataKey({ context: { 'edge-kms:dk': 'x' } }).catch(() => undefined)
      expect(hosts).toEqual(['sts.us-east4.rep.googleapis.com'])
    })

    it('a file without the field is an error, and nothing is sent', async () => {
      const { kms, hosts } = kmsOf({})
      await expect(kms.generateDataKey({ context: { 'edge-kms:dk': 'x' } })).rejects.toThrow()
      expect(hosts).toEqual([])
    })
  })
})

describe('Azure Key Vault', () => {
  const applications = () => {
    const certificate = testCertificate()
    const { thumbprint, key } = certificate
    const federations = [{ issuer: issuer.issuer, subject: 'pod', keys: issuer.keys }]
    const application = {
      clientId,
      clientSecret: 'canary~1',
      certificates: [{ thumbprint, key }],
      federations,
    }
    const fake = createFakeAzure({ applications: [application] })
    const { tenantId } = fake.credentials
    const env = {
      EDGE_KMS_AZURE_KEY_ID: fake.createKey(),
      AZURE_TENANT_ID: tenantId,
      AZURE_CLIENT_ID: clientId,
    }
    return { fake, env, certificate }
  }

  it('by a client secret', async () => {
    const { fake, env } = applications()
    await works({ ...env, AZURE_CLIENT_SECRET: 'canary~1' }, azureKmsFromEnv, {
      network: fake.network,
    })
  })

  it.each(['login.microsoftonline.com', 'https://login.microsoftonline.com/'])(
    'AZURE_AUTHORITY_HOST %s',
    async (host) => {
      const { fake, env } = applications()
      const more = { AZURE_CLIENT_SECRET: 'canary~1', AZURE_AUTHORITY_HOST: host }
      await works({ ...env, ...more }, azureKmsFromEnv, { network: fake.network })
    },
  )

  it('by a certificate in a file', async () => {
    const { fake, env, certificate } = applications()
    const readTextFile = filesOf({ '/app.pem': certificate.certificate + certificate.privateKey })
    const more = { AZURE_CLIENT_CERTIFICATE_PATH: '/app.pem' }
    await works({ ...env, ...more }, azureKmsFromEnv, { network: fake.network, readTextFile })
  })

  it('by a federated token in a file', async () => {
    const { fake, env } = applications()
    const readTextFile = filesOf({
      '/token': () => issuer.token({ sub: 'pod', aud: 'api://AzureADTokenExchange' }),
    })
    const more = { AZURE_FEDERATED_TOKEN_FILE: '/token' }
    await works({ ...env, ...more }, azureKmsFromEnv, { network: fake.network, readTextFile })
  })

  it.each([
    [
      'an app',
      { IDENTITY_ENDPOINT: 'http://127.0.0.1:41', IDENTITY_HEADER: 'proof' },
      '127.0.0.1:41',
    ],
    ['the machine', {}, '169.254.169.254'],
  ])('by the identity of %s, that of AZURE_CLIENT_ID', async (_, more, host) => {
    const { env } = applications()
    const asked: URL[] = []
    const fetch = (to: string): Promise<Response> => {
      asked.push(new URL(to))
      return Promise.resolve(new Response('{}', { status: 400 }))
    }
    const { kms } = stackFromEnv({ ...env, ...more }, { kms: azureKmsFromEnv, fetch })
    await kms.generateDataKey({ context: { 'edge-kms:dk': 'salt.1' } }).catch(() => undefined)
    expect(asked[0]?.host).toBe(host)
    expect(asked[0]?.searchParams.get('client_id')).toBe(clientId)
  })
})

describe('Vault transit', () => {
  const vault = () => {
    const fake = createFakeVault({
      mounts: ['transit', 'team/transit'],
      namespaces: ['admin'],
      keys: [
        { name: 'app' },
        { name: 'app', mount: 'team/transit' },
        { name: 'app', namespace: 'admin' },
      ],
      appRoles: [{ roleId: 'role', secretIds: ['canary-secret'] }],
    })
    const { endpoint: VAULT_ADDR, token: VAULT_TOKEN, network } = fake
    return { fake, network, env: { VAULT_ADDR, VAULT_TOKEN } }
  }

  it.each([
    ['app', '/v1/transit/'],
    ['transit/app', '/v1/transit/'],
    ['team/transit/app', '/v1/team/transit/'],
  ])('by a token, key %s', async (key, path) => {
    const { env, network, fake } = vault()
    await works({ ...env, EDGE_KMS_VAULT_KEY_ID: key }, vaultKmsFromEnv, { network })
    expect(JSON.stringify(fake.calls)).toContain(path.slice('/v1/'.length))
  })

  it('by AppRole', async () => {
    const { env, network } = vault()
    const { VAULT_ADDR } = env
    const role = { VAULT_ADDR, VAULT_ROLE_ID: 'role', VAULT_SECRET_ID: 'canary-secret' }
    await works({ ...role, EDGE_KMS_VAULT_KEY_ID: 'transit/app' }, vaultKmsFromEnv, { network })
  })

  it('in VAULT_NAMESPACE', async () => {
    const { env, network, fake } = vault()
    const more = { VAULT_NAMESPACE: 'admin', EDGE_KMS_VAULT_KEY_ID: 'transit/app' }
    await stackFromEnv({ ...env, ...more }, { kms: vaultKmsFromEnv, network })
      .cipher.encryptText('x')
      .catch(() => undefined)
    expect(JSON.stringify(fake.calls)).toContain('admin')
  })

  it('of a dev server on this machine, by plain http', () => {
    const env = {
      VAULT_ADDR: 'http://127.0.0.1:8200',
      VAULT_TOKEN: 't',
      EDGE_KMS_VAULT_KEY_ID: 'app',
    }
    expect(stackFromEnv(env, { kms: vaultKmsFromEnv }).kms.providerName).toBe('vault-transit')
  })
})

describe('a local key', () => {
  const keyOf = (byte: number): string =>
    Buffer.from(Uint8Array.from({ length: 32 }, (_, i) => i * 7 + byte)).toString('base64')

  it('of several versions, with gaps', async () => {
    const first = stackFromEnv({ EDGE_KMS_KEY_V2: keyOf(1) }, { kms: localKmsFromEnv })
    const text = await first.cipher.encryptText('hello')
    const env = { EDGE_KMS_KEY_V2: keyOf(1), EDGE_KMS_KEY_V7: keyOf(2), EDGE_KMS_KEY_RETIRED: '2' }
    const { cipher, kms } = await works(env, localKmsFromEnv)
    expect(await cipher.decryptText(text)).toBe('hello')
    expect(await kms.currentVersion({})).toMatchObject([{ kekVersion: '7' }])
  })

  it('of an environment that does not list its names', async () => {
    const values = new Map([['EDGE_KMS_KEY_V3', keyOf(3)]])
    const env = new Proxy({}, { get: (_, name) => values.get(String(name)), ownKeys: () => [] })
    await works(env, localKmsFromEnv)
  })
})
