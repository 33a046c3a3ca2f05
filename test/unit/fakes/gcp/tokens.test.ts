import { exportJWK, generateKeyPair, importPKCS8, SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import type { Network } from '../../../../src/index.ts'
import {
  createGcpKms,
  type GcpCredentialsOption,
  gcpImpersonation,
  gcpMetadataServer,
  gcpServiceAccount,
  gcpWorkloadIdentity,
  gcpWorkloadIdentityFromAws,
} from '../../../../src/providers/gcp-kms/index.ts'
import { createFakeAws, createFakeGcp, type FakeGcp } from '../../../../adapters/fakes/index.ts'
import { codeOf } from '../../credentials/aws/ports.ts'

const context = { 'edge-kms:dk': 'salt.1' }
const pool =
  '//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/pool'
const audience = `${pool}/providers/prov`
const app = 'app@acme-prod.iam.gserviceaccount.com'

/** Asks for a data key with these credentials. Returns the code, and the caller that Google saw. */
async function use(fake: FakeGcp, credentials: GcpCredentialsOption) {
  const keyName = fake.createKey()
  const kms = createGcpKms({ keyName, credentials, network: fake.network })
  const code = await codeOf(kms.generateDataKey({ context }))
  return { code, caller: fake.calls.at(-1)?.caller }
}

/** Pauses of no length: what lasts five seconds or more is a deadline. */
const hurried = (network: Network): Network => ({
  ...network,
  after: (ms, callback) => network.after(ms < 5_000 ? 0 : ms, callback),
})

describe('fake GCP: tokens of every source', () => {
  it('a service account by its key', async () => {
    const fake = createFakeGcp()
    const { network } = fake
    const key = await fake.createServiceAccountKey()
    expect(await use(fake, gcpServiceAccount({ key, network }))).toEqual({
      code: 'no error',
      caller: app,
    })
    const other = gcpServiceAccount({ key, network, audience: 'https://storage.googleapis.com/' })
    expect((await use(fake, other)).code).toBe('ERR_KMS_UNAUTHENTICATED')
    const stranger = await createFakeGcp().createServiceAccountKey()
    const unknown = gcpServiceAccount({ key: stranger, network })
    expect((await use(fake, unknown)).code).toBe('ERR_KMS_UNAUTHENTICATED')
  })

  it('R22 a service account whose clock is 20 minutes off', async () => {
    const fake = createFakeGcp({ now: () => Date.now() - 1_200_000 })
    const credentials = gcpServiceAccount({
      key: await fake.createServiceAccountKey(),
      network: fake.network,
    })
    expect((await use(fake, credentials)).code).toBe('no error')
    expect(fake.count('Encrypt')).toBe(2)
  })

  it('the metadata server', async () => {
    const fake = createFakeGcp()
    const { network } = fake
    expect(await use(fake, gcpMetadataServer({ network }))).toEqual({
      code: 'no error',
      caller: app,
    })
    const other = gcpMetadataServer({
      network: hurried(network),
      serviceAccount: 'other@acme-prod.iam.gserviceaccount.com',
    })
    expect((await use(fake, other)).code).toBe('ERR_KMS_UNAVAILABLE')
  })

  it.each([404, 503] as const)(
    'the metadata server that is not ready: %i without Metadata-Flavor, then a token',
    async (status) => {
      const fake = createFakeGcp()
      fake.faults.push({ kind: 'not-ready', status, operation: 'token', times: 2 })
      const answer = await fake.fetch(
        new Request(
          'http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token',
          { headers: { 'metadata-flavor': 'Google' } },
        ),
      )
      expect([answer.status, answer.headers.has('metadata-flavor')]).toEqual([status, false])
      const source = gcpMetadataServer({ network: hurried(fake.network) })
      expect((await use(fake, source)).code).toBe('no error')
      expect(fake.faults.pending).toEqual([])
    },
  )

  it('R22 a token that expired meanwhile is renewed once', async () => {
    const fake = createFakeGcp()
    const { network } = fake
    const kms = createGcpKms({
      keyName: fake.createKey(),
      credentials: gcpMetadataServer({ network }),
      network,
    })
    await kms.generateDataKey({ context })
    fake.clock.advance(3_600_000)
    expect(await codeOf(kms.generateDataKey({ context }))).toBe('no error')
    expect(fake.calls.map(({ operation, error }) => error ?? operation)).toEqual([
      'token',
      'Encrypt',
      'UNAUTHENTICATED',
      'token',
      'Encrypt',
    ])
  })

  it('workload identity from OIDC', async () => {
    const { publicKey, privateKey } = await generateKeyPair('RS256')
    const issuer = 'https://token.actions.githubusercontent.com'
    const keys = [await exportJWK(publicKey)]
    const fake = createFakeGcp({ poolProviders: [{ audience, issuer, keys }] })
    const { network } = fake
    const token = (change: object = {}) =>
      new SignJWT({ aud: `https:${audience}`, sub: 'repo:acme/app', iss: issuer, ...change })
        .setProtectedHeader({ alg: 'RS256' })
        .setIssuedAt()
        .setExpirationTime('5m')
        .sign(privateKey)
    expect(
      await use(fake, gcpWorkloadIdentity({ audience, token: () => token(), network })),
    ).toEqual({
      code: 'no error',
      caller: `principal:${pool}/subject/repo:acme/app`,
    })
    for (const change of [
      { aud: 'https://other.example' },
      { iss: 'https://other.example' },
      { sub: '' },
    ]) {
      const wrong = gcpWorkloadIdentity({ audience, token: () => token(change), network })
      expect((await use(fake, wrong)).code).toBe('ERR_KMS_UNAUTHENTICATED')
    }
    const elsewhere = `${pool}/providers/none`
    const unknown = gcpWorkloadIdentity({ audience: elsewhere, token: () => token(), network })
    expect((await use(fake, unknown)).code).toBe('ERR_KMS_CONFIG')
  })

  it('workload identity from AWS: the signature is AWS’s to check', async () => {
    const aws = createFakeAws()
    const provider = {
      audience,
      awsAccount: '111122223333',
      awsSts: (one: Request) => aws.fetch(one),
    }
    const fake = createFakeGcp({ poolProviders: [provider] })
    const options = { audience, region: 'us-east-1', network: fake.network }
    const right = gcpWorkloadIdentityFromAws({ ...options, credentials: aws.credentials })
    expect(await use(fake, right)).toEqual({
      code: 'no error',
      caller: `principal:${pool}/subject/arn:aws:iam::111122223333:user/app`,
    })
    const credentials = { ...aws.credentials, secretAccessKey: 'wrong' }
    const wrong = gcpWorkloadIdentityFromAws({ ...options, credentials })
    expect((await use(fake, wrong)).code).toBe('ERR_KMS_UNAUTHENTICATED')
    expect(aws.calls.map(({ operation, status }) => [operation, status])).toEqual([
      ['GetCallerIdentity', 200],
      ['GetCallerIdentity', 403],
    ])
  })

  it('impersonation, in one step and in two', async () => {
    const last = 'last@acme-prod.iam.gserviceaccount.com'
    const step = 'step@acme-prod.iam.gserviceaccount.com'
    const fake = createFakeGcp({
      serviceAccounts: [
        { email: app },
        { email: step, tokenCreators: [app] },
        { email: last, tokenCreators: [step] },
      ],
    })
    const { network, credentials } = fake
    const become = (serviceAccount: string, delegates: string[] = []) =>
      use(fake, gcpImpersonation({ serviceAccount, credentials, delegates, network }))
    expect(await become(step)).toEqual({ code: 'no error', caller: step })
    expect(await become(last, [step])).toEqual({ code: 'no error', caller: last })
    expect((await become(last)).code).toBe('ERR_KMS_ACCESS_DENIED')
  })

  it('the token endpoint that Google’s own clients ask', async () => {
    const fake = createFakeGcp()
    const file = JSON.parse(await fake.createServiceAccountKey()) as Record<string, string>
    const key = await importPKCS8(file['private_key'] ?? '', 'RS256')
    const aud = 'https://oauth2.googleapis.com/token'
    const assertion = await new SignJWT({
      iss: app,
      aud,
      scope: 'https://www.googleapis.com/auth/cloudkms',
    })
      .setProtectedHeader({ alg: 'RS256', kid: file['private_key_id'] ?? '' })
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(key)
    const ask = async (text: string) => {
      const grant_type = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
      const body = new URLSearchParams({ grant_type, assertion: text })
      const response = await fake.network.fetch(aud, { method: 'POST', body })
      return (await (response as Response).json()) as Record<string, string>
    }
    expect((await ask(`${assertion}x`))['error']).toBe('invalid_grant')
    const token = (await ask(assertion))['access_token'] ?? ''
    expect(await use(fake, { token })).toEqual({ code: 'no error', caller: app })
  })
})
