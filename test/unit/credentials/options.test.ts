import { describe, expect, it } from 'vitest'
import {
  denoDeployToken,
  fileToken,
  githubActionsToken,
} from '../../../src/credentials/oidc/index.ts'
import {
  createGcpKms,
  gcpImpersonation,
  gcpMetadataServer,
  gcpServiceAccount,
  gcpWorkloadIdentity,
  gcpWorkloadIdentityFromAws,
} from '../../../src/providers/gcp-kms/index.ts'
import { createAwsKms } from '../../../src/providers/aws-kms/index.ts'
import {
  createVaultTransitKms,
  vaultAppRole,
  vaultAwsIam,
  vaultJwt,
  vaultKubernetes,
  vaultToken,
} from '../../../src/providers/vault-transit/index.ts'
import { createFakeGcp, createFakeVault } from '../../../adapters/fakes/index.ts'
import { codeOf } from './aws/ports.ts'

const CANARY = 'canary-7be2'
const jwt = () => Promise.resolve('aGVhZA.Ym9keQ.c2lnbg')
const aws = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: CANARY }
const audience =
  '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/prov'
const keyName = 'projects/acme-prod/locations/europe-west3/keyRings/app/cryptoKeys/data'
const key = await createFakeGcp().createServiceAccountKey()
const env = {
  ACTIONS_ID_TOKEN_REQUEST_URL: 'https://run.actions.githubusercontent.com/t',
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: CANARY,
}

type Make = (more: object) => unknown

/** Each with options that are right, so that it is what is added that is refused. */
const makers: Readonly<Record<string, Make>> = {
  gcpServiceAccount: (more) => gcpServiceAccount({ key, ...more }),
  gcpMetadataServer: (more) => gcpMetadataServer({ ...more }),
  gcpWorkloadIdentity: (more) => gcpWorkloadIdentity({ audience, token: jwt, ...more }),
  gcpWorkloadIdentityFromAws: (more) =>
    gcpWorkloadIdentityFromAws({ audience, region: 'eu-central-1', credentials: aws, ...more }),
  gcpImpersonation: (more) =>
    gcpImpersonation({ serviceAccount: 'a@b.example', credentials: { token: 'x' }, ...more }),
  createGcpKms: (more) => createGcpKms({ keyName, credentials: { token: 'x' }, ...more }),
  vaultToken: (more) => vaultToken('hvs.x', { ...more }),
  vaultAppRole: (more) => vaultAppRole({ roleId: 'r', secretId: 's', ...more }),
  vaultKubernetes: (more) => vaultKubernetes({ role: 'r', jwt, ...more }),
  vaultJwt: (more) => vaultJwt({ jwt, ...more }),
  vaultAwsIam: (more) => vaultAwsIam({ credentials: aws, ...more }),
  createVaultTransitKms: (more) =>
    createVaultTransitKms({
      endpoint: 'https://vault.example.test',
      key: 'app',
      auth: vaultToken('hvs.x'),
      ...more,
    }),
  fileToken: (more) => fileToken({ path: '/token', readTextFile: jwt, ...more }),
  githubActionsToken: (more) => githubActionsToken({ env, audience: 'x', ...more }),
  denoDeployToken: (more) => denoDeployToken({ getIdToken: jwt, audience: 'x', ...more }),
}

const refused = { code: 'ERR_KMS_CONFIG' }

describe('options of credentials and providers', () => {
  it.each(Object.entries(makers))('%s takes what is right', (_, make) => {
    expect(() => make({})).not.toThrow()
    // Absent is absent, however it is written.
    expect(() => make({ other: undefined })).not.toThrow()
  })

  it.each(Object.entries(makers))('%s refuses an option that nobody knows', (_, make) => {
    expect(() => make({ timeOutMs: 5 })).toThrow(expect.objectContaining(refused))
    expect(() => make({ [CANARY.replace('-', '_')]: CANARY })).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining(CANARY) as string }),
    )
  })

  const wrong: readonly (readonly [string, object])[] = [
    ['gcpServiceAccount', { key: undefined }],
    ['gcpServiceAccount', { key: 5 }],
    ['gcpServiceAccount', { audience: 5 }],
    ['gcpServiceAccount', { scope: '' }],
    ['gcpServiceAccount', { audience: 'a', scope: 'b' }],
    ['gcpMetadataServer', { timeoutMs: -1 }],
    ['gcpMetadataServer', { host: 'attacker.example' }],
    ['gcpMetadataServer', { serviceAccount: '..' }],
    ['gcpWorkloadIdentity', { token: 'a.b.c' }],
    ['gcpWorkloadIdentity', { token: undefined }],
    ['gcpWorkloadIdentity', { audience: undefined }],
    ['gcpWorkloadIdentity', { scope: ['x'] }],
    ['gcpWorkloadIdentity', { endpoint: 'http://sts.example' }],
    ['gcpWorkloadIdentity', { timeoutMs: 2 ** 31 }],
    ['gcpWorkloadIdentityFromAws', { region: 'x/y' }],
    ['gcpWorkloadIdentityFromAws', { credentials: undefined }],
    ['gcpImpersonation', { serviceAccount: 'a/b' }],
    ['gcpImpersonation', { credentials: undefined }],
    ['gcpImpersonation', { scopes: 'cloud-platform' }],
    ['gcpImpersonation', { scopes: [] }],
    ['gcpImpersonation', { delegates: 'a@b.example' }],
    ['gcpImpersonation', { delegates: [5] }],
    ['gcpImpersonation', { lifetimeSeconds: 59 }],
    ['createGcpKms', { credentials: undefined }],
    ['createGcpKms', { credentials: null }],
    ['createGcpKms', { credentials: 'ya29.x' }],
    ['createGcpKms', { credentials: {} }],
    ['createGcpKms', { credentials: { token: 'a\r\nb' } }],
    ['createGcpKms', { keyName: undefined }],
    ['createGcpKms', { keyName: `${keyName}/cryptoKeyVersions/1` }],
    ['createGcpKms', { endpoint: undefined, timeoutMs: '5' }],
    ['vaultToken', { renew: 'yes' }],
    ['vaultAppRole', { roleId: '' }],
    ['vaultAppRole', { secretId: 5 }],
    ['vaultAppRole', { mount: '../sys' }],
    ['vaultKubernetes', { role: undefined }],
    ['vaultKubernetes', { jwt: 'a.b.c' }],
    ['vaultJwt', { role: 5 }],
    ['vaultJwt', { jwt: undefined }],
    ['vaultJwt', { namespace: 'a/../b' }],
    ['vaultAwsIam', { region: 'x/y' }],
    ['vaultAwsIam', { serverId: '' }],
    ['vaultAwsIam', { role: 5 }],
    ['createVaultTransitKms', { auth: undefined }],
    ['createVaultTransitKms', { auth: 'hvs.x' }],
    ['createVaultTransitKms', { standbyOrigins: 'https://vault-1.example' }],
    ['createVaultTransitKms', { standbyOrigins: ['http://vault-1.example'] }],
    ['createVaultTransitKms', { standbyOrigins: [5] }],
    ['createVaultTransitKms', { endpoint: undefined }],
    ['createVaultTransitKms', { namespace: 5 }],
    ['fileToken', { path: '' }],
    ['fileToken', { path: 5 }],
    ['fileToken', { readTextFile: undefined }],
    ['githubActionsToken', { env: undefined }],
    ['githubActionsToken', { audience: undefined }],
    ['githubActionsToken', { audience: '' }],
    ['denoDeployToken', { getIdToken: 'x' }],
    ['denoDeployToken', { audience: '' }],
  ]
  it.each(wrong)('%s refuses %o', (name, more) => {
    expect(() => makers[name]?.(more)).toThrow(expect.objectContaining(refused))
  })
})

describe('functions that give what they should not', () => {
  const context = { 'edge-kms:dk': 'salt.1' }
  const values: readonly unknown[] = [undefined, null, 5, '', {}, CANARY, [CANARY]]

  it.each(values)('GCP: %j is not a token, no OIDC token', async (value) => {
    const { network } = createFakeGcp()
    const give = () => Promise.resolve(value as never)
    const asToken = createGcpKms({ keyName, credentials: give, network })
    expect(await codeOf(asToken.generateDataKey({ context }))).toBe('ERR_KMS_CONFIG')
    const exchange = gcpWorkloadIdentity({ audience, token: give, network })
    const exchanged = createGcpKms({ keyName, credentials: exchange, network })
    expect(await codeOf(exchanged.generateDataKey({ context }))).toBe('ERR_KMS_UNAUTHENTICATED')
  })

  it.each(values)('Vault: %j is not a JWT, no secret id that works', async (value) => {
    const { network, count } = createFakeVault({ keys: [{ name: 'app' }] })
    const give = () => Promise.resolve(value as never)
    const code = (auth: ReturnType<typeof vaultJwt>) =>
      codeOf(
        createVaultTransitKms({
          endpoint: 'https://vault.example.test',
          key: 'app',
          auth,
          network,
        }).generateDataKey({ context }),
      )
    expect(await code(vaultJwt({ jwt: give }))).toBe('ERR_KMS_UNAUTHENTICATED')
    expect(count()).toBe(0)
    const isText = typeof value === 'string' && value !== ''
    const secret = await code(vaultAppRole({ roleId: 'r', secretId: give }))
    expect(secret).toBe(isText ? 'ERR_KMS_UNAUTHENTICATED' : 'ERR_KMS_CONFIG')
    const token = await code(vaultToken(give))
    expect(token).toBe(isText ? 'ERR_KMS_ACCESS_DENIED' : 'ERR_KMS_CONFIG')
  })

  it.each(values)('AWS: %j are not credentials', async (value) => {
    const keyId = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'
    const credentials = () => Promise.resolve(value as never)
    const kms = createAwsKms({ keyId, credentials })
    expect(await codeOf(kms.generateDataKey({ context }))).toBe('ERR_KMS_CONFIG')
    expect(await codeOf(() => createAwsKms({ keyId, credentials: value as never }))).toBe(
      'ERR_KMS_CONFIG',
    )
  })
})
