import { describe, expect, it } from 'vitest'
import { isKmsError, type KekVersion, type Network } from '../../../../src/index.ts'
import type { KeyLifecycle } from '../../../../src/kms/index.ts'
import { createAwsKeyLifecycle } from '../../../../src/providers/aws-kms/index.ts'
import { createAzureKeyLifecycle } from '../../../../src/providers/azure-key-vault/index.ts'
import { createGcpKeyLifecycle } from '../../../../src/providers/gcp-kms/index.ts'
import { createLocalKeyLifecycle } from '../../../../src/providers/local/index.ts'
import {
  createVaultKeyLifecycle,
  vaultToken,
} from '../../../../src/providers/vault-transit/index.ts'
import { webNetwork } from '../../../../src/runtime/index.ts'
import { aws, awsKey, vault, vaultKey, wrapped } from '../../../support/rotation/vendors.ts'

const arn = 'arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'
const keyName = 'projects/acme/locations/europe-west3/keyRings/app/cryptoKeys/data'
const keyId = 'https://acme.vault.azure.net/keys/app'
const hex = '0123456789abcdef0123456789abcdef'
const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'not-a-secret' }
const token = { token: 'not-a-secret' }
const azure = () => Promise.resolve({ ...token, expiresOnMs: Number.MAX_SAFE_INTEGER })

/** A network that answers everything with one body, and notes where it was asked. */
function answering(body: unknown): Network & { readonly urls: string[] } {
  const urls: string[] = []
  const fetch: Network['fetch'] = (url) => {
    urls.push(url)
    return Promise.resolve(Response.json(body))
  }
  return { ...webNetwork, fetch, urls }
}

type Vendor = readonly [
  name: string,
  version: KekVersion,
  create: (network: Network) => KeyLifecycle,
]
const vendors: readonly Vendor[] = [
  [
    'AWS',
    { provider: 'aws-kms', kekId: arn, kekVersion: '' },
    (network) => createAwsKeyLifecycle({ keyId: arn, credentials, network }),
  ],
  [
    'GCP',
    { provider: 'gcp-kms', kekId: keyName, kekVersion: '1' },
    (network) => createGcpKeyLifecycle({ keyName, credentials: token, network }),
  ],
  [
    'Azure',
    { provider: 'azure-key-vault', kekId: keyId, kekVersion: hex },
    (network) => createAzureKeyLifecycle({ keyId, credentials: azure, network }),
  ],
  [
    'Vault',
    { provider: 'vault-transit', kekId: 'transit/app', kekVersion: '1' },
    (network) => {
      const auth = vaultToken('not-a-secret')
      return createVaultKeyLifecycle({ endpoint: 'https://vault.test', key: 'app', auth, network })
    },
  ],
]

const code = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'no error',
    (error: unknown) => (isKmsError(error) ? error.code : error),
  )

describe.each(vendors)('lifecycle of %s', (_, version, create) => {
  it.each<[string, unknown]>([
    ['nothing', {}],
    ['another key of AWS', { KeyMetadata: { Arn: `${arn}0`, KeyState: 'Disabled' } }],
    ['another version of GCP', { name: `${keyName}/cryptoKeyVersions/2`, state: 'DISABLED' }],
    [
      'another version of Azure',
      { key: { kid: `${keyId}/${hex.replace('0', '1')}` }, attributes: { enabled: false } },
    ],
    ['another key of Vault', { data: { name: 'other', latest_version: 9 } }],
    ['a key of Vault without bounds', { data: { name: 'app', latest_version: '9' } }],
  ])('does not act on an answer that tells of %s', async (_name, body) => {
    const network = answering(body)
    const lifecycle = create(network)
    for (const step of [
      () => lifecycle.stateOf(version, {}),
      () => lifecycle.disable(version, {}),
      () => lifecycle.enable(version, {}),
    ])
      expect(await code(step())).toBe('ERR_KMS_RESPONSE_INVALID')
    expect(network.urls).toHaveLength(3) // each looked, and none went on
  })

  it('sends nothing for a version of another key, whatever an envelope names', async () => {
    const network = answering({})
    const lifecycle = create(network)
    for (const other of [
      { ...version, kekId: 'https://evil.test/keys/app' },
      { ...version, provider: 'local' },
      { ...version, kekVersion: '../../other' },
    ])
      expect(await code(lifecycle.disable(other, {}))).toBe('ERR_KMS_UNSUPPORTED')
    expect(network.urls).toEqual([])
  })
})

describe('options of lifecycles', () => {
  const auth = vaultToken('not-a-secret')
  const endpoint = 'https://vault.test'
  const keys = { stateOf: 1 }
  it.each<[string, () => unknown]>([
    ['keyId', () => createAwsKeyLifecycle({ keyId: 'alias/app', credentials })],
    ['keyId', () => createAwsKeyLifecycle({ keyId: 7 as never, credentials })],
    [
      'pendingWindowDays',
      () => createAwsKeyLifecycle({ keyId: arn, credentials, pendingWindowDays: 6 }),
    ],
    [
      'lastUsage',
      () => createAwsKeyLifecycle({ keyId: arn, credentials, lastUsage: 'no' as never }),
    ],
    ['usage', () => createAwsKeyLifecycle({ keyId: arn, credentials, usage: 'both' } as never)],
    [
      'keyName',
      () =>
        createGcpKeyLifecycle({ keyName: `${keyName}/cryptoKeyVersions/1`, credentials: token }),
    ],
    ['usage', () => createGcpKeyLifecycle({ keyName, credentials: token, usage: 'both' } as never)],
    ['keyId', () => createAzureKeyLifecycle({ keyId: `${keyId}/${hex}`, credentials: azure })],
    [
      'algorithm',
      () => createAzureKeyLifecycle({ keyId, credentials: azure, algorithm: 'A256KW' } as never),
    ],
    ['key', () => createVaultKeyLifecycle({ endpoint, key: '../sys', auth })],
    ['mount', () => createVaultKeyLifecycle({ endpoint, key: 'app', mount: '../sys', auth })],
    ['auth', () => createVaultKeyLifecycle({ endpoint, key: 'app', auth: 'root' as never })],
    ['kekId', () => createVaultKeyLifecycle({ endpoint, key: 'app', auth, kekId: '' })],
    [
      'bindBy',
      () => createVaultKeyLifecycle({ endpoint, key: 'app', auth, bindBy: 'derivation' } as never),
    ],
    ['keys', () => createLocalKeyLifecycle({ keys: keys as never })],
    [
      'endpoint',
      () => createVaultKeyLifecycle({ endpoint: 'http://vault.test', key: 'app', auth }),
    ],
  ])('refuses a wrong %s', (name, create) => {
    expect(create).toThrow(name)
  })
})

describe('what vendors tell', () => {
  it('GetKeyLastUsage of AWS: the last use, none for a new key, and no dry run', async () => {
    const { kms, keyId: key, lifecycle } = awsKey()
    const version = { provider: 'aws-kms', kekId: key, kekVersion: '' }
    expect(await lifecycle.lastUsedAtMs?.(version, {})).toBeUndefined()
    await kms.healthCheck({}) // by dry runs
    expect(await lifecycle.lastUsedAtMs?.(version, {})).toBeUndefined()
    const { open } = await wrapped(kms)
    const made = await lifecycle.lastUsedAtMs?.(version, {})
    aws.clock.advance(5_000)
    await open()
    const opened = await lifecycle.lastUsedAtMs?.(version, {})
    expect(Number(opened) - Number(made)).toBeGreaterThanOrEqual(5_000)
    const refused = awsKey().denied?.lastUsedAtMs?.(version, {})
    expect(await code(refused as Promise<unknown>)).toBe('ERR_KMS_UNSUPPORTED') // of another key
  })

  it('AWS: is not asked for the last use where that is switched off', () => {
    const lifecycle = createAwsKeyLifecycle({ keyId: arn, credentials, lastUsage: false })
    expect(lifecycle.lastUsedAtMs).toBeUndefined()
  })

  it('Vault: the lowest version first, never the latest, and encryption never below decryption', async () => {
    const { kms, lifecycle, rotate } = vaultKey()
    const { version: first } = await wrapped(kms)
    await rotate()
    const { version: second } = await wrapped(kms)
    await rotate()
    const { version: third, open } = await wrapped(kms)
    expect(await code(lifecycle.disable(second, {}))).toBe('ERR_KMS_UNSUPPORTED')
    await lifecycle.disable(first, {})
    await lifecycle.disable(second, {})
    expect(await code(lifecycle.disable(third, {}))).toBe('ERR_KMS_UNSUPPORTED')
    await lifecycle.scheduleDestruction(first, {})
    await lifecycle.enable(second, {})
    await lifecycle.disable(second, {})
    expect(await lifecycle.stateOf(first, {})).toBe('destroyed')
    expect(vault.calls.filter(({ operation }) => operation === 'trim')).not.toHaveLength(0)
    await open()
  })
})
