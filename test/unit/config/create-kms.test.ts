import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { createKms, type KmsConfig } from '../../../src/config/index.ts'
import { EnvelopeCipher, isKmsError } from '../../../src/index.ts'
import { type AwsSigner, createAwsSigner } from '../../../src/credentials/aws/index.ts'
import { createFakeAws, createFakeAzure } from '../../../adapters/fakes/index.ts'
import { codeOf, testPorts } from '../credentials/aws/ports.ts'
import type { AnyConfig } from './observe.ts'

const guid = '72f0a1c4-0000-4000-8000-000000000001'
const key = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8='
const local = { provider: 'local', versions: [{ version: 1, key }] }
const secretOf = { type: 'client-secret', tenantId: guid, clientId: guid, clientSecret: 'canary' }
const azure = {
  provider: 'azure-key-vault',
  keyId: 'https://acme.vault.azure.net/keys/app',
  credentials: secretOf,
}
const keys = { type: 'static', accessKeyId: 'AKID', secretAccessKey: 'canary' }
const aws = {
  provider: 'aws-kms',
  keyId: 'arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
  credentials: keys,
}
const vault = {
  provider: 'vault-transit',
  endpoint: 'https://vault.test:8200',
  key: 'app',
  auth: { type: 'token', token: 'canary' },
}
const gcp = {
  provider: 'gcp-kms',
  keyName: 'projects/acme/locations/global/keyRings/ring/cryptoKeys/app',
  credentials: { type: 'metadata-server' },
}

/** Returns the message of `createKms` about a configuration. */
function saidOf(config: unknown, options: Parameters<typeof createKms>[1] = {}): string {
  try {
    createKms(config as KmsConfig, options)
  } catch (error) {
    if (!isKmsError(error, 'ERR_KMS_CONFIG')) throw error
    expect(inspect(error, { showHidden: true, depth: 9 })).not.toContain('canary')
    return error.message
  }
  return 'no error'
}

describe('createKms: what is wrong is named by its path, with the nearest known name', () => {
  // The words are API here: they are what somebody with a wrong file in hand has.
  it.each<[unknown, string]>([
    [undefined, 'the configuration is missing'],
    [null, 'the configuration must be an object, got '],
    ['canary', 'the configuration must be an object, got '],
    [[], 'the configuration must be an object, got '],
    [{}, 'provider'],
    [
      { ...local, provider: 'locl' },
      'provider must be one of aws-kms, azure-key-vault, by-context, env, gcp-kms, google-cloud-kms, local, vault-transit, got a string: did you mean local?',
    ],
    [{ ...azure, provider: 'azure-keyvault' }, 'did you mean azure-key-vault?'],
    [{ ...azure, provider: 'canary' }, 'one of aws-kms, azure-key-vault, by-context, env'],
    [{ ...azure, provider: 7 }, 'provider must be one of'],
    [{ ...azure, keyid: 'canary' }, 'unknown option: keyid: did you mean keyId?'],
    [{ ...azure, canari: 'canary' }, 'unknown option: canari'],
    [{ ...azure, keyId: undefined }, 'keyId is missing'],
    [{ ...azure, keyId: 7 }, 'keyId must be'],
    [{ ...azure, usage: 'canary' }, 'usage must be one of encrypt, decrypt, both'],
    [{ ...azure, algorithm: 'RSA1_5' }, 'algorithm must be one of RSA-OAEP-256, A256KW'],
    [
      { ...azure, credentials: { ...secretOf, type: 'client-secrt' } },
      'credentials.type must be one of client-secret, client-certificate, federated-token, managed-identity, app-service, got a string: did you mean client-secret?',
    ],
    [
      { ...azure, credentials: { ...secretOf, clientSecrt: 'canary' } },
      'unknown option: credentials.clientSecrt: did you mean clientSecret?',
    ],
    [
      { ...azure, credentials: { ...secretOf, clientSecret: { evn: 'canary' } } },
      'credentials.clientSecret',
    ],
    [
      { ...azure, credentials: { ...secretOf, tenantId: undefined } },
      'credentials.tenantId is missing',
    ],
    [{ ...azure, credentials: 'canary' }, 'credentials must be'],
    [
      {
        ...aws,
        credentials: {
          type: 'assume-role',
          region: 'us-east-1',
          roleArn: 'arn:aws:iam::111122223333:role/app',
          credentials: { ...keys, secretAccesKey: 'canary' },
        },
      },
      'unknown option: credentials.credentials.secretAccesKey: did you mean secretAccessKey?',
    ],
    [
      { ...aws, healthContext: { tenant: 7 } },
      'healthContext.tenant must be a string, got a number',
    ],
    [
      { ...aws, grantTokens: ['a', 7] },
      'grantTokens.1 must be a string or { "env": "…" } or { "file": "…" }, got a number',
    ],
    [
      { ...vault, auth: { ...vault.auth, tokn: 'canary' } },
      'unknown option: auth.tokn: did you mean token?',
    ],
    [{ ...gcp, randomBytes: 'canary' }, 'randomBytes must be one of local, hsm'],
    [{ ...local, versions: [{ version: 1, kee: key }] }, 'versions.0.'],
  ])('%j', (config, said) => {
    expect(saidOf(config)).toContain(said)
  })

  it('a name that is none is not repeated', () => {
    expect(saidOf({ ...azure, '<canary>': 1 })).toBe('unknown option: ?')
    expect(saidOf({ ...azure, __proto__: { usage: 'both' } })).toBe('no error')
  })
})

describe('createKms: every security option refuses something', () => {
  const loopback = 'http://127.0.0.1:8080'
  const refused: Readonly<Record<string, AnyConfig>> = {
    'local: a key that is not 32 bytes': { ...local, versions: [{ version: 1, key: 'AAAA' }] },
    'aws-kms.endpoint: plain http': {
      ...aws,
      endpoint: 'http://kms.test',
      allowHttpLoopback: true,
    },
    'aws-kms.allowHttpLoopback: not given': { ...aws, endpoint: loopback },
    'aws-kms.allowHttpLoopback: another host': {
      ...aws,
      endpoint: 'http://10.0.0.1',
      allowHttpLoopback: true,
    },
    'aws-kms.fips: with an endpoint': { ...aws, fips: true, endpoint: 'https://kms.test' },
    'aws-kms.credentials.fullUri: another host': {
      ...aws,
      credentials: { type: 'container', fullUri: 'http://attacker.example/' },
    },
    'gcp-kms.allowHttpLoopback: not given': { ...gcp, endpoint: loopback },
    'gcp-kms.credentials.host: another host': {
      ...gcp,
      credentials: { type: 'metadata-server', host: 'attacker.example' },
    },
    'azure-key-vault.keyId: another host': { ...azure, keyId: 'https://attacker.example/keys/app' },
    'azure-key-vault.resource: not above the host': {
      ...azure,
      resource: 'https://graph.microsoft.com',
    },
    'azure-key-vault.algorithm: OAEP with SHA-1': { ...azure, algorithm: 'RSA-OAEP' },
    'azure-key-vault.algorithm: AES in a vault': { ...azure, algorithm: 'A256KW' },
    'azure-key-vault.credentials.authority: plain http': {
      ...azure,
      credentials: { ...secretOf, authority: 'http://login.test' },
    },
    'azure-key-vault.credentials.endpoint: another host': {
      ...azure,
      credentials: { type: 'app-service', endpoint: 'http://attacker.example/', header: 'canary' },
    },
    'vault-transit.endpoint: plain http': { ...vault, endpoint: 'http://vault.test' },
    'vault-transit.allowHttpLoopback: not given': { ...vault, endpoint: loopback },
    'vault-transit.standbyOrigins: plain http': {
      ...vault,
      standbyOrigins: ['http://attacker.example'],
    },
  }
  it.each(Object.entries(refused))('%s', (_what, config) => {
    expect(saidOf(config)).not.toBe('no error')
  })

  it.each<[AnyConfig]>([[local], [aws], [azure], [gcp], [vault]])('usage of %o', async (config) => {
    const context = { 'edge-kms:dk': 'salt.1' }
    const { network, runtime } = testPorts()
    const reader = createKms({ ...config, usage: 'decrypt' } as unknown as KmsConfig, {
      network,
      runtime,
    })
    expect(await codeOf(reader.generateDataKey({ context }))).toBe('ERR_KMS_UNSUPPORTED')
    const writer = createKms({ ...config, usage: 'encrypt' } as unknown as KmsConfig, {
      network,
      runtime,
    })
    expect(await codeOf(writer.unwrapDataKey([], { context }))).toBe('ERR_KMS_UNSUPPORTED')
  })
})

it('createKms takes the $schema that editors want, and nothing else of that kind', () => {
  expect(saidOf({ ...local, $schema: './kms-config.schema.json' })).toBe('no error')
  expect(saidOf({ ...local, $schema: 7 })).toContain('$schema must be a string, got a number')
  expect(saidOf({ ...local, $schemas: 'x' })).toContain('unknown option')
})

it.each([
  [{ ...azure, credentials: { ...secretOf, tenantId: '../x' } }, 'credentials.tenantId must be'],
  [
    { ...azure, credentials: { ...secretOf, clientSecret: '' } },
    'credentials.clientSecret must be',
  ],
  [{ ...vault, auth: { type: 'app-role', roleId: 'r', mount: '../sys' } }, 'auth.mount must be'],
])('createKms: what a part refuses has its whole path: %j', (config, message) => {
  expect(saidOf(config)).toMatch(new RegExp(`^${message.replaceAll('.', '\\.')}`))
})

describe('createKms: references', () => {
  const config: KmsConfig = {
    provider: 'local',
    kekId: { env: 'KEK_ID' },
    versions: [{ version: 1, key: { file: '/run/secrets/kek' } }],
  }

  it('are resolved by what is passed in, at once', async () => {
    const asked: unknown[] = []
    const kms = createKms(config, {
      resolve: (reference) => {
        asked.push(reference)
        return 'env' in reference ? 'named' : key
      },
    })
    expect(asked).toEqual([{ env: 'KEK_ID' }, { file: '/run/secrets/kek' }])
    const { wraps } = await kms.generateDataKey({ context: { 'edge-kms:dk': 'salt.1' } })
    expect(wraps[0]?.kekId).toBe('named')
  })

  it('that lead nowhere are named by their path, and what the resolver throws is not', () => {
    expect(saidOf(config)).toContain('kekId')
    for (const resolve of [
      () => undefined,
      () => '',
      () => 7 as unknown as string,
      () => {
        throw new Error('canary: ENOENT')
      },
    ])
      expect(saidOf(config, { resolve })).toContain('kekId')
  })

  it.each([
    [{ env: 'KEK_ID' }, 'kekId refers to the variable KEK_ID, which is not set or empty'],
    [{ file: '/run/secrets/kek' }, 'kekId refers to the file /run/secrets/kek, which is not set'],
    [{ env: 'canary' }, 'kekId refers to a variable (only a name in capitals is shown), which'],
    [{ file: 'canary' }, 'kekId refers to a file, which is not set'],
  ])('%j that is unset is named, unless it may be the secret itself', (kekId, message) => {
    const said = saidOf({ ...local, kekId }, { resolve: () => undefined })
    expect(said).toContain(message)
    expect(said).not.toContain('canary')
  })

  it('inside credentials are named by their whole path', () => {
    const credentials = { ...secretOf, clientSecret: { env: 'AZURE_CLIENT_SECRET' } }
    expect(saidOf({ ...azure, credentials }, { resolve: () => undefined })).toContain(
      'credentials.clientSecret refers to the variable AZURE_CLIENT_SECRET, which is not set',
    )
    expect(saidOf({ ...azure, credentials })).toContain('give createKms a `resolve` option')
  })

  it('to tokens are asked for again each time', async () => {
    let reads = 0
    const sent: string[] = []
    const { runtime } = testPorts()
    const kms = createKms(
      { ...vault, auth: { type: 'token', token: { file: '/run/token' } } } as KmsConfig,
      {
        resolve: () => `hvs.token${String((reads += 1))}\n`,
        runtime,
        network: {
          ...testPorts().network,
          fetch: (_url, init) => {
            sent.push(new Headers(init.headers).get('x-vault-token') ?? '')
            return Promise.reject(new TypeError('no network'))
          },
        },
      },
    )
    expect(reads).toBe(0)
    expect(await codeOf(kms.currentVersion({}))).toBe('ERR_KMS_UNAVAILABLE')
    expect([reads, sent[0]]).toEqual([1, 'hvs.token1'])
  })

  it('a map of strings is not a reference, whatever its keys', () => {
    const healthContext = { env: 'production' }
    expect(saidOf({ ...aws, healthContext })).toBe('no error')
  })

  it('empty ones, and ones with more in them, are refused', () => {
    for (const kekId of [{ env: '' }, { env: 'A', file: 'b' }, { env: 7 }, {}])
      expect(saidOf({ ...local, kekId })).toContain('kekId')
  })

  it('an option that nobody knows is refused', () => {
    expect(saidOf(local, { resolver: () => key } as object)).toContain('resolver')
  })
})

describe('createKms: a signer', () => {
  const assumed = {
    type: 'assume-role',
    region: 'us-east-1',
    roleArn: 'arn:aws:iam::111122223333:role/app',
    credentials: keys,
  }
  const audience =
    '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/name'
  const fromAws = { audience, region: 'us-east-1', credentials: keys }

  it.each<[string, boolean, AnyConfig]>([
    ['AWS KMS', true, aws],
    ['STS, for AWS KMS', true, { ...aws, credentials: assumed }],
    ['the login to Vault', true, { ...vault, auth: { type: 'aws-iam', credentials: keys } }],
    [
      'the proof to Google',
      true,
      { ...gcp, credentials: { type: 'workload-identity-from-aws', ...fromAws } },
    ],
    ['nothing for Azure', false, azure],
    ['nothing for a local key', false, local],
  ])('signs what goes to AWS: %s', async (_what, signs, config) => {
    let signed = 0
    const { sign } = createAwsSigner()
    const signer: AwsSigner = { sign: (...given) => ((signed += 1), sign(...given)) }
    const { runtime, network } = testPorts()
    const kms = createKms(config as unknown as KmsConfig, { signer, runtime, network })
    await codeOf(kms.generateDataKey({ context: { 'edge-kms:dk': 'salt.1' } }))
    expect(signed > 0).toBe(signs)
  })
})

describe('createKms: works', () => {
  it('with AWS and Azure as with their own functions', async () => {
    const message = { context: { tenant: 'acme' } }
    const fakeAws = createFakeAws()
    const fakeAzure = createFakeAzure()
    const configs: readonly [KmsConfig, Parameters<typeof createKms>[1]][] = [
      [
        {
          provider: 'aws-kms',
          keyId: fakeAws.createKey().arn,
          credentials: { type: 'static', ...fakeAws.credentials },
        },
        { network: fakeAws.network },
      ],
      [
        {
          provider: 'azure-key-vault',
          keyId: fakeAzure.createKey(),
          credentials: { type: 'client-secret', ...fakeAzure.credentials },
        },
        { network: fakeAzure.network },
      ],
    ]
    for (const [config, options] of configs) {
      const cipher = new EnvelopeCipher({ kms: createKms(config, options) })
      const text = await cipher.encryptText('hello', message)
      const other = new EnvelopeCipher({ kms: createKms(config, options) })
      expect(await other.decryptText(text, message)).toBe('hello')
    }
  })
})
