import { generateKeyPairSync } from 'node:crypto'
import { toJSONSchema } from 'zod/mini'
import { describe, expect, it } from 'vitest'
import { kmsConfigSchema } from '../../../src/config/kms-config.ts'
import { testCertificate } from '../credentials/azure/certificate.ts'
import { createKms, type KmsConfig } from '../../../src/config/index.ts'
import { isKmsError } from '../../../src/errors.ts'
import { testPorts, whilePausesPass } from '../credentials/aws/ports.ts'
import { type AnyConfig, observe } from './observe.ts'
import { type Json, schemaOptions } from './schema-paths.ts'

const guid = (n: number) => `72f0a1c4-0000-4000-8000-00000000000${String(n)}`
const loopback = 'http://127.0.0.1:8080'
const own = testCertificate()
const pem = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString()
const keyFile = JSON.stringify({
  client_email: 'app@acme.iam.gserviceaccount.com',
  private_key: pem,
  private_key_id: '1'.repeat(40),
})
const arn = 'arn:aws:kms:us-east-1:111122223333:key/mrk-1234abcd1234abcd1234abcd1234abcd'
const role = 'arn:aws:iam::111122223333:role/app'
const keys = { type: 'static', accessKeyId: 'AKID', secretAccessKey: 'kY7-static-0001' }
const jwt = 'aaaa.bbbb.cccc'
const kek = (n: number) =>
  Buffer.from(Uint8Array.from({ length: 32 }, (_, i) => i + n)).toString('base64')
const audience =
  '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/name'

const aws = { provider: 'aws-kms', keyId: arn, credentials: keys }
const awsWith = (credentials: object) => ({ ...aws, credentials })
const gcp = {
  provider: 'gcp-kms',
  keyName: 'projects/acme/locations/global/keyRings/ring/cryptoKeys/app',
  credentials: { type: 'metadata-server' },
}
const gcpWith = (credentials: object) => ({ ...gcp, credentials })
const azure = {
  provider: 'azure-key-vault',
  keyId: 'https://acme.vault.azure.net/keys/app',
  credentials: { type: 'managed-identity' },
}
const azureWith = (credentials: object) => ({ ...azure, credentials })
const entra = { tenantId: guid(1), clientId: guid(2) }
const vault = {
  provider: 'vault-transit',
  endpoint: 'https://vault.test:8200',
  key: 'app',
  auth: { type: 'token', token: 'hvs.token' },
}
const vaultWith = (auth: object) => ({ ...vault, auth })
const local = { provider: 'local', versions: [{ version: 1, key: kek(1) }] }

/** An option: where it stands, a configuration, and what is put over it. Both must behave differently. */
type Row = readonly [option: string, base: AnyConfig, change: AnyConfig]

/** The same for options of a part, e.g. of credentials. */
const part = (
  name: string,
  base: AnyConfig,
  make: (part: AnyConfig) => AnyConfig,
  changes: AnyConfig,
): Row[] =>
  Object.entries(changes).map(([option, value]) => [
    `${name}.${option}`,
    make(base),
    make({ ...base, [option]: value }),
  ])
const top = (name: string, base: AnyConfig, changes: AnyConfig): Row[] =>
  part(name, base, (whole) => whole, changes)

const sts = { fips: true, dualStack: true, timeoutMs: 77, endpoint: 'https://sts.test' }
const roleChanges = {
  ...sts,
  region: 'eu-west-1',
  roleArn: `${role}2`,
  sessionName: 'other',
  durationSeconds: 900,
}
const webIdentity = { type: 'web-identity', region: 'us-east-1', roleArn: role, token: jwt }
const assumeRole = { type: 'assume-role', region: 'us-east-1', roleArn: role, credentials: keys }
const container = { type: 'container', relativeUri: '/v2' }
const byUri = { type: 'container', fullUri: 'https://a.test/' }
const federated = { type: 'workload-identity', audience, token: jwt }
const fromAws = {
  type: 'workload-identity-from-aws',
  audience,
  region: 'us-east-1',
  credentials: keys,
}
const impersonation = {
  type: 'impersonation',
  serviceAccount: 'app@acme.iam.gserviceaccount.com',
  credentials: { type: 'metadata-server' },
}
const federationChanges = {
  audience: audience.replace('name', 'other'),
  scope: 'https://scope.test',
  endpoint: 'https://sts.test',
  timeoutMs: 77,
}
const entraChanges = {
  tenantId: guid(3),
  clientId: guid(4),
  cloud: 'china',
  authority: 'https://login.test',
  timeoutMs: 77,
}
const identityChanges = {
  clientId: guid(3),
  objectId: guid(3),
  resourceId: '/subscriptions/a',
  timeoutMs: 77,
}
const secret = { type: 'client-secret', ...entra, clientSecret: 'kY7-client-0001' }
const certificate = {
  type: 'client-certificate',
  ...entra,
  certificate: own.certificate,
  privateKey: own.privateKey,
}
const exchange = { type: 'federated-token', ...entra, token: jwt }
const appService = { type: 'app-service', endpoint: 'http://127.0.0.1:1/a', header: 'header' }
const mountChanges = { mount: 'elsewhere', namespace: 'team' }
/** Plain http to loopback, refused without the option. */
const loop = (name: string, make: (more: object) => AnyConfig): Row => [
  `${name}.allowHttpLoopback`,
  make({}),
  make({ allowHttpLoopback: true }),
]

/** Credentials of AWS, which GCP and Vault take too. */
const awsCredentialRows = (name: string, make: (credentials: AnyConfig) => AnyConfig): Row[] => [
  ...part(`${name}.static`, keys, make, {
    accessKeyId: 'AKID2',
    secretAccessKey: 'kY7-static-0002',
    sessionToken: 'kY7-session-0001',
  }),
  ...part(`${name}.container`, container, make, {
    relativeUri: '/v3',
    authorizationToken: 'token',
    timeoutMs: 77,
  }),
  [`${name}.container.fullUri`, make(container), make(byUri)],
  ...part(`${name}.web-identity`, webIdentity, make, {
    ...roleChanges,
    token: 'aaaa.bbbb.dddd',
  }),
  loop(`${name}.web-identity`, (more) => make({ ...webIdentity, endpoint: loopback, ...more })),
  ...part(`${name}.assume-role`, assumeRole, make, {
    ...roleChanges,
    credentials: { ...keys, accessKeyId: 'AKID2' },
    externalId: 'external',
    sourceIdentity: 'somebody',
    tags: { env: 'production' },
  }),
  loop(`${name}.assume-role`, (more) => make({ ...assumeRole, endpoint: loopback, ...more })),
]

const rows: readonly Row[] = [
  ...top('aws-kms', aws, {
    keyId: arn.replace('mrk-1', 'mrk-2'),
    credentials: { ...keys, accessKeyId: 'AKID2' },
    endpoint: 'https://kms.test',
    fips: true,
    dualStack: true,
    replicaRegions: ['eu-west-1'],
    grantTokens: ['grant'],
    usage: 'encrypt',
    healthContext: { env: 'production' },
    timeoutMs: 77,
  }),
  [
    'aws-kms.region',
    { ...aws, keyId: 'alias/app' },
    { ...aws, keyId: 'alias/app', region: 'us-east-1' },
  ],
  loop('aws-kms', (more) => ({ ...aws, endpoint: loopback, ...more })),
  ...awsCredentialRows('aws-kms.credentials', awsWith),

  ...top('gcp-kms', gcp, {
    keyName: gcp.keyName.replace('app', 'other'),
    credentials: { type: 'metadata-server', serviceAccount: 'other' },
    endpoint: 'https://kms.test',
    randomBytes: 'hsm',
    usage: 'encrypt',
    timeoutMs: 77,
  }),
  loop('gcp-kms', (more) => ({ ...gcp, endpoint: loopback, ...more })),
  ...part(
    'gcp-kms.credentials.service-account',
    { type: 'service-account', key: keyFile },
    gcpWith,
    {
      key: keyFile.replace('app@', 'other@'),
      audience: 'https://a.test/',
      scope: 'https://scope.test',
    },
  ),
  ...part('gcp-kms.credentials.metadata-server', gcp.credentials, gcpWith, {
    serviceAccount: 'other',
    host: '169.254.169.254',
    timeoutMs: 77,
  }),
  ...part('gcp-kms.credentials.workload-identity', federated, gcpWith, {
    ...federationChanges,
    token: 'aaaa.bbbb.dddd',
  }),
  loop('gcp-kms.credentials.workload-identity', (more) =>
    gcpWith({ ...federated, endpoint: loopback, ...more }),
  ),
  ...part('gcp-kms.credentials.workload-identity-from-aws', fromAws, gcpWith, {
    ...federationChanges,
    region: 'eu-west-1',
    credentials: { ...keys, accessKeyId: 'AKID2' },
  }),
  loop('gcp-kms.credentials.workload-identity-from-aws', (more) =>
    gcpWith({ ...fromAws, endpoint: loopback, ...more }),
  ),
  ...awsCredentialRows(
    'gcp-kms.credentials.workload-identity-from-aws.credentials',
    (credentials) => gcpWith({ ...fromAws, credentials }),
  ),
  ...part('gcp-kms.credentials.impersonation', impersonation, gcpWith, {
    serviceAccount: 'other@acme.iam.gserviceaccount.com',
    credentials: { type: 'metadata-server', serviceAccount: 'other' },
    scopes: ['https://scope.test'],
    lifetimeSeconds: 900,
    delegates: ['via@acme.iam.gserviceaccount.com'],
    endpoint: 'https://iam.test',
    timeoutMs: 77,
  }),
  loop('gcp-kms.credentials.impersonation', (more) =>
    gcpWith({ ...impersonation, endpoint: loopback, ...more }),
  ),

  ...top('azure-key-vault', azure, {
    keyId: 'https://acme.vault.azure.net/keys/other',
    resource: 'https://graph.test',
    credentials: { type: 'managed-identity', clientId: guid(3) },
    algorithm: 'A256KW',
    usage: 'encrypt',
    timeoutMs: 77,
  }),
  loop('azure-key-vault', (more) => ({
    ...azure,
    keyId: `${loopback}/keys/app`,
    resource: 'https://vault.azure.net',
    ...more,
  })),
  ...part('azure-key-vault.credentials.client-secret', secret, azureWith, {
    ...entraChanges,
    clientSecret: 'kY7-client-0002',
  }),
  loop('azure-key-vault.credentials.client-secret', (more) =>
    azureWith({ ...secret, authority: loopback, ...more }),
  ),
  ...part('azure-key-vault.credentials.client-certificate', certificate, azureWith, {
    ...entraChanges,
    certificate: 'none',
    privateKey: 'none',
  }),
  loop('azure-key-vault.credentials.client-certificate', (more) =>
    azureWith({ ...certificate, authority: loopback, ...more }),
  ),
  ...part('azure-key-vault.credentials.federated-token', exchange, azureWith, {
    ...entraChanges,
    token: 'aaaa.bbbb.dddd',
  }),
  loop('azure-key-vault.credentials.federated-token', (more) =>
    azureWith({ ...exchange, authority: loopback, ...more }),
  ),
  ...part(
    'azure-key-vault.credentials.managed-identity',
    azure.credentials,
    azureWith,
    identityChanges,
  ),
  ...part('azure-key-vault.credentials.app-service', appService, azureWith, {
    ...identityChanges,
    endpoint: 'http://127.0.0.1:2/a',
    header: 'other',
  }),

  ...top('vault-transit', vault, {
    endpoint: 'https://other.test:8200',
    namespace: 'team',
    timeoutMs: 77,
    key: 'other',
    mount: 'elsewhere',
    auth: { type: 'token', token: 'hvs.other' },
    kekId: 'named',
    bindBy: 'derivation',
    derived: true,
    usage: 'encrypt',
    healthContext: { env: 'production' },
  }),
  [
    'vault-transit.standbyOrigins',
    { ...vault, endpoint: 'https://vault.example.com:8200' },
    {
      ...vault,
      endpoint: 'https://vault.example.com:8200',
      standbyOrigins: ['https://vault-1.example.com:8200'],
    },
  ],
  loop('vault-transit', (more) => ({ ...vault, endpoint: loopback, ...more })),
  ...part('vault-transit.auth.token', vault.auth, vaultWith, { token: 'hvs.other', renew: true }),
  ...part('vault-transit.auth.app-role', { type: 'app-role', roleId: 'role' }, vaultWith, {
    ...mountChanges,
    roleId: 'other',
    secretId: 'kY7-role-0001',
  }),
  ...part('vault-transit.auth.jwt', { type: 'jwt', jwt }, vaultWith, {
    ...mountChanges,
    role: 'role',
    jwt: 'aaaa.bbbb.dddd',
  }),
  ...part('vault-transit.auth.kubernetes', { type: 'kubernetes', role: 'role', jwt }, vaultWith, {
    ...mountChanges,
    role: 'other',
    jwt: 'aaaa.bbbb.dddd',
  }),
  ...part('vault-transit.auth.aws-iam', { type: 'aws-iam', credentials: keys }, vaultWith, {
    ...mountChanges,
    role: 'role',
    region: 'eu-west-1',
    serverId: 'vault.test',
    credentials: { ...keys, accessKeyId: 'AKID2' },
  }),

  ...awsCredentialRows('vault-transit.auth.aws-iam.credentials', (credentials) =>
    vaultWith({ type: 'aws-iam', credentials }),
  ),

  ...top('local', local, {
    kekId: 'other',
    versions: [{ version: 1, key: kek(2) }],
    usage: 'encrypt',
  }),
  ...part('local.versions', { version: 1, key: kek(1) }, (one) => ({ ...local, versions: [one] }), {
    version: 2,
    key: kek(2),
    state: 'retired',
  }),
]

describe('configuration: every option changes behaviour', () => {
  /** Removes signatures with a salt: only they differ between two runs of one configuration. */
  const steady = (seen: string, option: string): string =>
    option.includes('client-certificate') ? seen.replaceAll(/client_assertion=[^&"]*/g, '') : seen

  it.each(rows)('%s', async (option, base, change) => {
    const whole = { ...base, ...change }
    const [without, again, with_] = [await observe(base), await observe(base), await observe(whole)]
    expect(steady(again, option)).toBe(steady(without, option))
    expect(steady(with_, option)).not.toBe(steady(without, option))
  })

  const schema = toJSONSchema(kmsConfigSchema, { io: 'input' }) as unknown as Json
  // A key for each customer, and keys of variables and Google's client, have files of their own. So has the rule for
  // browsers: test/unit/providers/browser.test.ts.
  const paths = schemaOptions(schema).flatMap(({ path }) =>
    /^(?:by-context|env|google-cloud-kms)\b|\.dangerouslyAllowBrowser$/.test(path) ? [] : [path],
  )
  it('and none is missing here', () => {
    expect(paths.filter((one) => !rows.some(([option]) => option === one))).toEqual([])
    expect(rows.map(([option]) => option).filter((one) => !paths.includes(one))).toEqual([])
  })
})

/** Values that an option of this name must refuse at any place: at once, or before anything is sent. */
const REFUSED: Readonly<Record<string, unknown>> = {
  accessKeyId: 'a\nb',
  algorithm: 'RSA1_5',
  audience: '',
  auth: { type: 'token', token: 'a\nb' },
  authority: 'http://attacker.example',
  authorizationToken: 'a\nb',
  bindBy: 'nothing',
  certificate: 'none',
  clientId: '../x',
  clientSecret: '',
  cloud: 'toString',
  credentials: { type: 'static', accessKeyId: '', secretAccessKey: '' },
  delegates: ['a/b@c'],
  derived: 'false',
  dualStack: 'false',
  durationSeconds: 899,
  endpoint: 'http://attacker.example',
  fips: 'false',
  fullUri: 'http://attacker.example/',
  grantTokens: 'abc',
  header: 'a\nb',
  healthContext: { tenant: 7 },
  host: 'attacker.example',
  jwt: 'none',
  kekId: '',
  key: '../x',
  keyId: 'https://attacker.example/keys/app',
  keyName: 'projects/../x',
  lifetimeSeconds: 59,
  mount: '../sys',
  replicaRegions: 'eu-west-1',
  namespace: '../root',
  objectId: '../x',
  privateKey: 'none',
  randomBytes: 'none',
  region: 'attacker.example/',
  relativeUri: '@attacker.example/',
  renew: 'false',
  resource: 'https://graph.microsoft.com',
  resourceId: '../x',
  role: '',
  roleArn: '*',
  roleId: '',
  scope: '',
  scopes: [],
  secretAccessKey: '',
  secretId: '',
  serverId: '',
  serviceAccount: '../x',
  sessionName: 'a b',
  sessionToken: 'a\nb',
  standbyOrigins: ['http://attacker.example'],
  state: 'destroyed',
  tags: { tenant: 7 },
  tenantId: '../x',
  timeoutMs: 0,
  token: 'a b',
  usage: 'decrypt',
  version: 0,
  versions: [{ version: 1, key: 'AAAA' }],
}
/** Texts that mean something to the vendor alone: any will do here. */
const FREE = ['externalId', 'sourceIdentity']

/** A configuration with another value at a path, kinds of credentials passed over. */
function withValue(config: AnyConfig, path: readonly string[], value: unknown): AnyConfig {
  const [name = '', ...rest] = path
  if (rest.length === 0) return { ...config, [name]: value }
  if (config['type'] === name) return withValue(config, rest, value)
  const inner = config[name]
  if (Array.isArray(inner))
    return { ...config, [name]: [withValue(inner[0] as AnyConfig, rest, value)] }
  return { ...config, [name]: withValue(inner as AnyConfig, rest, value) }
}

/** Whether a configuration is refused: with a typed error, and before anything is sent. */
async function isRefused(config: AnyConfig): Promise<boolean> {
  const ports = testPorts()
  const { runtime, network, sent } = ports
  try {
    const kms = createKms(config as unknown as KmsConfig, { runtime, network })
    const context = { 'edge-kms:dk': 'salt.1' }
    const work: Promise<unknown> =
      config['usage'] === 'encrypt'
        ? kms.unwrapDataKey([], { context })
        : kms.generateDataKey({ context })
    await whilePausesPass(ports, work) // sources of credentials ask again
    return false
  } catch (error) {
    return isKmsError(error) && sent.length === 0
  }
}

describe('configuration: every option refuses something', () => {
  it.each(rows.filter(([option]) => !FREE.some((name) => option.endsWith(`.${name}`))))(
    '%s',
    async (option, base, change) => {
      const [, ...path] = option.split('.')
      const name = path.at(-1) ?? ''
      // Plain http is refused without it, which the row shows, and to any other host with it.
      if (name === 'allowHttpLoopback') {
        expect(await isRefused(base)).toBe(true)
        const elsewhere = JSON.parse(
          JSON.stringify({ ...base, ...change }).replaceAll('127.0.0.1', '10.0.0.1'),
        ) as AnyConfig
        expect(await isRefused(elsewhere)).toBe(true)
        return
      }
      expect(Object.keys(REFUSED)).toContain(name)
      const isSecret = option === 'local.versions.key' || option.endsWith('service-account.key')
      const value = isSecret ? 'AAAA' : REFUSED[name]
      // Some are nothing without another one, or beside it.
      const needsRest = name === 'fullUri' || (await isRefused(base))
      const usable = needsRest ? { ...base, ...change } : base
      expect(await isRefused(usable)).toBe(false)
      expect([option, await isRefused(withValue(usable, path, value))]).toEqual([option, true])
    },
  )
})
