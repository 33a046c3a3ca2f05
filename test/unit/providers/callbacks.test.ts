// Functions of the caller's that fail or hang: each gives a typed error in time, and harms no other key.
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { isKmsError, type KeyManagementService, MultiKms } from '../../../src/index.ts'
import { createAwsKms } from '../../../src/providers/aws-kms/index.ts'
import {
  azureFederatedToken,
  createAzureKeyVaultKms,
} from '../../../src/providers/azure-key-vault/index.ts'
import { createGcpKms, gcpWorkloadIdentity } from '../../../src/providers/gcp-kms/index.ts'
import { createLocalKms } from '../../../src/providers/local/index.ts'
import {
  createVaultTransitKms,
  vaultJwt,
  vaultToken,
} from '../../../src/providers/vault-transit/index.ts'
import { codeOf, testPorts, type TestPorts, turn } from '../credentials/aws/ports.ts'

const context = { 'edge-kms:dk': 'salt.1' }
const arn = 'arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'
const keyName = 'projects/acme/locations/global/keyRings/app/cryptoKeys/data'
const keyId = 'https://acme.vault.azure.net/keys/app'
const endpoint = 'https://vault.example.test'
const guid = '72f0a1c4-0000-4000-8000-000000000001'
const audience =
  '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/name'

type Ask = () => Promise<never>
const sourceOf = (get: Ask) => ({ get, refused: () => undefined })
const providers: Readonly<Record<string, (ask: Ask, ports: TestPorts) => KeyManagementService>> = {
  'AWS, a function': (credentials, ports) =>
    createAwsKms({ keyId: arn, credentials, ...of(ports) }),
  'AWS, a source': (ask, ports) =>
    createAwsKms({ keyId: arn, credentials: sourceOf(ask), ...of(ports) }),
  'GCP, a function': (credentials, ports) => createGcpKms({ keyName, credentials, ...of(ports) }),
  'GCP, a source': (ask, ports) =>
    createGcpKms({ keyName, credentials: sourceOf(ask), ...of(ports) }),
  'GCP, a token': (token, ports) => {
    const credentials = gcpWorkloadIdentity({ audience, token, ...of(ports) })
    return createGcpKms({ keyName, credentials, ...of(ports) })
  },
  'Azure, a function': (credentials, ports) =>
    createAzureKeyVaultKms({ keyId, credentials, ...of(ports) }),
  'Azure, a source': (ask, ports) =>
    createAzureKeyVaultKms({ keyId, credentials: sourceOf(ask), ...of(ports) }),
  'Azure, a token': (token, ports) => {
    const credentials = azureFederatedToken({ tenantId: guid, clientId: guid, token, ...of(ports) })
    return createAzureKeyVaultKms({ keyId, credentials, ...of(ports) })
  },
  'Vault, a token': (token, ports) =>
    createVaultTransitKms({ endpoint, key: 'app', auth: vaultToken(token), ...of(ports) }),
  'Vault, a JWT': (jwt, ports) =>
    createVaultTransitKms({ endpoint, key: 'app', auth: vaultJwt({ jwt }), ...of(ports) }),
  'Vault, a login': (login, ports) =>
    createVaultTransitKms({ endpoint, key: 'app', auth: { login }, ...of(ports) }),
}
const of = ({ runtime, network }: TestPorts) => ({ runtime, network })

describe.each(Object.entries(providers))('%s of the caller', (_name, make) => {
  it('that rejects is a typed error without its text', async () => {
    for (const thrown of [new Error('canary'), 'canary', { canary: 1 }, undefined]) {
      const ports = testPorts()
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
      const kms = make(() => Promise.reject(thrown), ports)
      const error: unknown = await kms.generateDataKey({ context }).catch((e: unknown) => e)
      expect(isKmsError(error, 'ERR_KMS_UNAVAILABLE')).toBe(true)
      expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('canary')
      expect(ports.sent).toEqual([])
    }
  })

  it('that throws an AbortError is an outage: nobody asked for an abort', async () => {
    const gone = new DOMException('gone', 'AbortError')
    const kms = make(() => Promise.reject(gone), testPorts())
    const { signal } = new AbortController()
    expect(await codeOf(kms.generateDataKey({ context, signal }))).toBe('ERR_KMS_UNAVAILABLE')
  })

  it('that hangs ends within 30 seconds, and at once with the signal of the caller', async () => {
    const ports = testPorts()
    const kms = make(() => new Promise(() => undefined), ports)
    const hung = codeOf(kms.generateDataKey({ context }))
    const controller = new AbortController()
    const left = codeOf(kms.generateDataKey({ context, signal: controller.signal }))
    await turn()
    const reason = new Error('deadline')
    controller.abort(reason)
    expect(await left).toBe(reason)
    for (let second = 0; second < 60; second++) {
      ports.advance(1_000)
      await turn()
    }
    expect(await hung).toBe('ERR_KMS_TIMEOUT')
    expect(ports.waiting).toBe(0)
  })

  it('is a row of the health check, which tells of the other keys too', async () => {
    const kms = make(() => Promise.reject(new Error('canary')), testPorts())
    const local = createLocalKms({
      versions: [{ version: 1, key: crypto.getRandomValues(new Uint8Array(32)) }],
    })
    const { healthy, checks } = await new MultiKms({
      read: [local, kms],
      write: [local],
    }).healthCheck({})
    expect(healthy).toBe(false)
    expect(checks.map((check) => [check.healthy, check.code])).toEqual([
      [true, undefined],
      [false, 'ERR_KMS_UNAVAILABLE'],
    ])
  })
})

it('a local key whose onRotate hangs ends when the caller gives up', async () => {
  const kms = createLocalKms({
    versions: [{ version: 1, key: crypto.getRandomValues(new Uint8Array(32)) }],
    onRotate: () => new Promise(() => undefined),
  })
  const controller = new AbortController()
  const rotating = codeOf(kms.rotateKey({ signal: controller.signal }))
  await turn()
  const reason = new Error('gone')
  controller.abort(reason)
  expect(await rotating).toBe(reason)
  expect((await kms.currentVersion({}))[0]?.kekVersion).toBe('1')
})
