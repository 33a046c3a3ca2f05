// Plain JavaScript, or JSON that was cast, may hand anything to the functions that make providers and credentials.
import { inspect } from 'node:util'
import { expect, it } from 'vitest'
import { isKmsError } from '../../../src/errors.ts'
import {
  assumeRole,
  type AssumeRoleOptions,
  assumeRoleWithWebIdentity,
  type AwsKmsOptions,
  containerCredentials,
  type ContainerCredentialsOptions,
  createAwsKms,
  type WebIdentityOptions,
} from '../../../src/providers/aws-kms/index.ts'
import {
  type AzureAppServiceOptions,
  azureAppServiceIdentity,
  azureClientCertificate,
  type AzureClientCertificateOptions,
  azureClientSecret,
  type AzureClientSecretOptions,
  azureFederatedToken,
  type AzureFederatedTokenOptions,
  type AzureIdentityOptions,
  type AzureKeyVaultOptions,
  azureManagedIdentity,
  createAzureKeyVaultKms,
} from '../../../src/providers/azure-key-vault/index.ts'
import {
  createGcpKms,
  gcpImpersonation,
  type GcpImpersonationOptions,
  type GcpKmsOptions,
  gcpMetadataServer,
  type GcpMetadataServerOptions,
  gcpServiceAccount,
  type GcpServiceAccountOptions,
  gcpWorkloadIdentity,
  gcpWorkloadIdentityFromAws,
  type GcpWorkloadIdentityFromAwsOptions,
  type GcpWorkloadIdentityOptions,
} from '../../../src/providers/gcp-kms/index.ts'
import { createLocalKms, type LocalKmsOptions } from '../../../src/providers/local/index.ts'
import {
  createVaultTransitKms,
  vaultAppRole,
  type VaultAppRoleOptions,
  vaultAwsIam,
  type VaultAwsIamOptions,
  vaultJwt,
  type VaultJwtOptions,
  vaultKubernetes,
  vaultToken,
  type VaultTransitKmsOptions,
} from '../../../src/providers/vault-transit/index.ts'
import { testCertificate } from '../credentials/azure/certificate.ts'

/** `port`: clock and network, which are not looked into. */
type Kind = 'flag' | 'number' | 'text' | 'function' | 'secret' | 'source' | 'texts' | 'map' | 'port'
type Kinds<T> = { readonly [K in keyof T]-?: Kind }

const texts = ['canary', 'false', '7']
const others = [null, [], [7], {}, { canary: 7 }]
const call = (): string => 'canary'
/** Values that an option of each kind must refuse. */
const wrong: Readonly<Record<Exclude<Kind, 'port'>, readonly unknown[]>> = {
  flag: [...texts, 0, 1, NaN, ...others, call],
  number: [...texts, true, NaN, Infinity, 0, -1, 1.5, ...others, call],
  text: [true, 7, NaN, ...others, call],
  function: [...texts, true, 7, ...others],
  secret: [true, 7, ...others],
  source: [...texts, true, 7, ...others],
  texts: [...texts, true, 7, null, [7], {}, { canary: 'canary' }, call],
  map: [...texts, true, 7, null, [], ['canary'], { tenant: 7 }, call],
}

const platform = { runtime: 'port', network: 'port' } as const
const own = testCertificate()
const keys = { accessKeyId: 'AKID', secretAccessKey: 'kY7-static-0001' }
const roleArn = 'arn:aws:iam::111122223333:role/app'
const guid = '72f0a1c4-0000-4000-8000-000000000001'
const audience =
  '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/name'
const token = (): Promise<string> => Promise.resolve('a.b.c')
const region = 'us-east-1'

const place = { endpoint: 'text', allowHttpLoopback: 'flag', timeoutMs: 'number' } as const
const awsPlace = { ...platform, ...place, signer: 'port', fips: 'flag', dualStack: 'flag' } as const
const role = {
  ...awsPlace,
  region: 'text',
  roleArn: 'text',
  sessionName: 'text',
  durationSeconds: 'number',
} as const
const federation = { ...platform, ...place, audience: 'text', scope: 'text' } as const
const entra = {
  ...platform,
  tenantId: 'text',
  clientId: 'text',
  cloud: 'text',
  authority: 'text',
  allowHttpLoopback: 'flag',
  timeoutMs: 'number',
} as const
const identity = {
  ...platform,
  clientId: 'text',
  objectId: 'text',
  resourceId: 'text',
  timeoutMs: 'number',
} as const
const mount = { mount: 'text', namespace: 'text' } as const

interface Subject {
  readonly make: (options: never) => unknown
  readonly good: object
  readonly kinds: Readonly<Record<string, Kind>>
}
/** The compiler sees that no option is left out. */
const subject = <T extends object>(
  make: (options: T) => unknown,
  good: T,
  kinds: Kinds<T>,
): Subject => ({ make, good, kinds })

const subjects: Readonly<Record<string, Subject>> = {
  createAwsKms: subject<AwsKmsOptions>(
    createAwsKms,
    {
      keyId: 'arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
      credentials: keys,
    },
    {
      dangerouslyAllowBrowser: 'flag',
      ...awsPlace,
      keyId: 'text',
      region: 'text',
      credentials: 'source',
      replicaRegions: 'texts',
      grantTokens: 'texts',
      usage: 'text',
      healthContext: 'map',
    },
  ),
  containerCredentials: subject<ContainerCredentialsOptions>(
    containerCredentials,
    { relativeUri: '/v2' },
    {
      ...platform,
      relativeUri: 'text',
      fullUri: 'text',
      authorizationToken: 'secret',
      timeoutMs: 'number',
    },
  ),
  assumeRole: subject<AssumeRoleOptions>(
    assumeRole,
    { region, roleArn, credentials: keys },
    { ...role, credentials: 'source', externalId: 'text', sourceIdentity: 'text', tags: 'map' },
  ),
  assumeRoleWithWebIdentity: subject<WebIdentityOptions>(
    assumeRoleWithWebIdentity,
    { region, roleArn, token },
    { ...role, token: 'function' },
  ),
  createGcpKms: subject<GcpKmsOptions>(
    createGcpKms,
    {
      keyName: 'projects/acme/locations/global/keyRings/ring/cryptoKeys/app',
      credentials: { token: 'token' },
    },
    {
      dangerouslyAllowBrowser: 'flag',
      ...platform,
      ...place,
      keyName: 'text',
      credentials: 'source',
      randomBytes: 'text',
      usage: 'text',
    },
  ),
  gcpServiceAccount: subject<GcpServiceAccountOptions>(
    gcpServiceAccount,
    {
      key: {
        client_email: 'app@acme.iam.gserviceaccount.com',
        private_key: own.privateKey,
        private_key_id: '1',
      },
    },
    { ...platform, key: 'source', audience: 'text', scope: 'text' },
  ),
  gcpMetadataServer: subject<GcpMetadataServerOptions>(
    gcpMetadataServer,
    {},
    { ...platform, serviceAccount: 'text', host: 'text', timeoutMs: 'number' },
  ),
  gcpWorkloadIdentity: subject<GcpWorkloadIdentityOptions>(
    gcpWorkloadIdentity,
    { audience, token },
    { ...federation, token: 'function' },
  ),
  gcpWorkloadIdentityFromAws: subject<GcpWorkloadIdentityFromAwsOptions>(
    gcpWorkloadIdentityFromAws,
    { audience, region, credentials: keys },
    { ...federation, region: 'text', credentials: 'source', signer: 'port' },
  ),
  gcpImpersonation: subject<GcpImpersonationOptions>(
    gcpImpersonation,
    { serviceAccount: 'app@acme.iam.gserviceaccount.com', credentials: { token: 'token' } },
    {
      ...platform,
      ...place,
      serviceAccount: 'text',
      credentials: 'source',
      scopes: 'texts',
      lifetimeSeconds: 'number',
      delegates: 'texts',
    },
  ),
  createAzureKeyVaultKms: subject<AzureKeyVaultOptions>(
    createAzureKeyVaultKms,
    { keyId: 'https://acme.vault.azure.net/keys/app', credentials: azureManagedIdentity() },
    {
      dangerouslyAllowBrowser: 'flag',
      ...platform,
      keyId: 'text',
      resource: 'text',
      credentials: 'source',
      algorithm: 'text',
      usage: 'text',
      timeoutMs: 'number',
      allowHttpLoopback: 'flag',
    },
  ),
  azureClientSecret: subject<AzureClientSecretOptions>(
    azureClientSecret,
    { tenantId: guid, clientId: guid, clientSecret: 'kY7-client-0001' },
    { ...entra, clientSecret: 'text' },
  ),
  azureClientCertificate: subject<AzureClientCertificateOptions>(
    azureClientCertificate,
    { tenantId: guid, clientId: guid, certificate: own.certificate, privateKey: own.privateKey },
    { ...entra, certificate: 'text', privateKey: 'text' },
  ),
  azureFederatedToken: subject<AzureFederatedTokenOptions>(
    azureFederatedToken,
    { tenantId: guid, clientId: guid, token },
    { ...entra, token: 'function' },
  ),
  azureManagedIdentity: subject<AzureIdentityOptions>(azureManagedIdentity, {}, identity),
  azureAppServiceIdentity: subject<AzureAppServiceOptions>(
    azureAppServiceIdentity,
    { endpoint: 'http://127.0.0.1:1/a', header: 'header' },
    { ...identity, endpoint: 'text', header: 'text' },
  ),
  createVaultTransitKms: subject<VaultTransitKmsOptions>(
    createVaultTransitKms,
    { endpoint: 'https://vault.test:8200', key: 'app', auth: vaultToken('hvs.token') },
    {
      dangerouslyAllowBrowser: 'flag',
      ...platform,
      ...place,
      namespace: 'text',
      standbyOrigins: 'texts',
      key: 'text',
      mount: 'text',
      auth: 'source',
      kekId: 'text',
      bindBy: 'text',
      derived: 'flag',
      usage: 'text',
      healthContext: 'map',
    },
  ),
  vaultToken: subject<{ readonly renew?: boolean }>(
    (options) => vaultToken('hvs.token', options),
    {},
    { renew: 'flag' },
  ),
  vaultAppRole: subject<VaultAppRoleOptions>(
    vaultAppRole,
    { roleId: 'role' },
    { ...mount, roleId: 'text', secretId: 'secret' },
  ),
  vaultJwt: subject<VaultJwtOptions>(
    vaultJwt,
    { jwt: token },
    { ...mount, role: 'text', jwt: 'function' },
  ),
  vaultKubernetes: subject<VaultJwtOptions & { readonly role: string }>(
    vaultKubernetes,
    { role: 'role', jwt: token },
    { ...mount, role: 'text', jwt: 'function' },
  ),
  vaultAwsIam: subject<VaultAwsIamOptions>(
    vaultAwsIam,
    { credentials: keys },
    {
      ...mount,
      role: 'text',
      credentials: 'source',
      region: 'text',
      serverId: 'text',
      signer: 'port',
    },
  ),
  createLocalKms: subject<LocalKmsOptions>(
    createLocalKms,
    { versions: [{ version: 1, key: crypto.getRandomValues(new Uint8Array(32)) }] },
    { kekId: 'text', versions: 'source', usage: 'text', onRotate: 'function', runtime: 'port' },
  ),
}

/** Returns the result of making a provider with one option changed. */
function madeWith({ make, good }: Subject, option: string, value: unknown): unknown {
  try {
    make({ ...good, [option]: value } as never)
    return 'made'
  } catch (error) {
    // The context of a health check is a context.
    if (!isKmsError(error, 'ERR_KMS_CONFIG') && !isKmsError(error, 'ERR_CONTEXT_INVALID'))
      return error
    return inspect(error, { showHidden: true, depth: 9 }).includes('canary') ? 'told' : 'refused'
  }
}

const rows = Object.entries(subjects).flatMap(([name, one]) =>
  Object.entries(one.kinds).flatMap(([option, kind]) =>
    kind === 'port' ? [] : [[`${name}.${option}`, one, option, wrong[kind]] as const],
  ),
)
it.each(rows)('%s is refused where it is of another type', (_what, one, option, values) => {
  for (const value of values)
    expect([value, madeWith(one, option, value)]).toEqual([value, 'refused'])
  expect(madeWith(one, option, undefined)).toBe(option in one.good ? 'refused' : 'made')
})

it.each(Object.entries(subjects))('%s knows its options, and no other', (_name, one) => {
  expect(madeWith(one, '', undefined)).toBe('made')
  for (const option of ['timeout', 'Runtime', 'toString', '__proto'])
    expect([option, madeWith(one, option, true)]).toEqual([option, 'refused'])
})
