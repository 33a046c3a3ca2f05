// An error about a configuration names the option, says what it must be, and what to do.
import { describe, expect, it } from 'vitest'
import { createAwsKms } from '../../../src/providers/aws-kms/index.ts'
import {
  azureClientCertificate,
  createAzureKeyVaultKms,
} from '../../../src/providers/azure-key-vault/index.ts'
import { createGcpKms } from '../../../src/providers/gcp-kms/index.ts'
import { createLocalKms, EnvKeyProvider } from '../../../src/providers/local/index.ts'
import { createVaultTransitKms, vaultToken } from '../../../src/providers/vault-transit/index.ts'
import { createFakeAws, createFakeAzure } from '../../../adapters/fakes/index.ts'
import { testCertificate } from '../credentials/azure/certificate.ts'
import { codeOf, testPorts } from '../credentials/aws/ports.ts'

const arn = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'
const keys = { accessKeyId: 'AKID', secretAccessKey: 'secret' }
const credentials = () => Promise.resolve({ token: 'token' })
const context = { 'edge-kms:dk': 'salt.1' }
const hex = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('hex')
const made = (make: unknown, options: object) => () => (make as (o: object) => unknown)(options)

describe('a configuration that is wrong', () => {
  it.each<[string, () => unknown, RegExp]>([
    [
      'AWS without keyId',
      made(createAwsKms, { credentials: keys }),
      /keyId must be a key ARN.*got undefined/,
    ],
    [
      'GCP without keyName',
      made(createGcpKms, { credentials }),
      /keyName must be projects.*got undefined/,
    ],
    [
      'Azure without keyId',
      made(createAzureKeyVaultKms, { credentials }),
      /keyId must be https.*got undefined/,
    ],
    [
      'Vault without key',
      made(createVaultTransitKms, { endpoint: 'https://v.test', auth: vaultToken('t') }),
      /key must be the name of a transit key.*got undefined/,
    ],
    [
      'another Region than that of the ARN',
      made(createAwsKms, { keyId: arn, region: 'us-east-1', credentials: keys }),
      /keyId is in eu-central-1, not us-east-1: arn:aws:kms/,
    ],
    [
      'an alias without a Region',
      made(createAwsKms, { keyId: 'alias/app', credentials: keys }),
      /region is missing: set it, or give keyId as an ARN/,
    ],
    [
      'a misspelt usage',
      made(createAwsKms, { keyId: arn, credentials: keys, usage: 'read' }),
      /usage must be both or encrypt or decrypt, got a string/,
    ],
    [
      'a key in hex',
      () => new EnvKeyProvider({ EDGE_KMS_KEY_V1: hex }),
      /must be 32 bytes, or their base64 of 44 characters; it looks like hex/,
    ],
    [
      'a local key of another length',
      made(createLocalKms, { versions: [{ version: 1, key: new Uint8Array(16) }] }),
      /must be 32 bytes, or their base64 of 44 characters$/,
    ],
  ])('%s', (_what, make, message) => {
    expect(make).toThrow(message)
  })

  it('never shows the key in hex', () => {
    expect(() => new EnvKeyProvider({ EDGE_KMS_KEY_V1: hex })).not.toThrow(
      new RegExp(hex.slice(0, 8)),
    )
  })

  it.each([
    'https://acme.vault.azure.net/keys/a/../b',
    'https://acme.vault.azure.net/keys/a/%2e%2e/b',
    'https://acme.vault.azure.net/x/../keys/b',
    'https://acme.vault.azure.net/keys/./b',
    'https://acme.vault.azure.net\\keys\\b',
  ])('an Azure key that a URL takes for another one is refused: %s', (keyId) => {
    expect(made(createAzureKeyVaultKms, { keyId, credentials })).toThrow(
      expect.objectContaining({ code: 'ERR_KMS_CONFIG' }),
    )
  })

  it('an Azure key is taken as it is written, with a slash behind it or not', () => {
    for (const keyId of [
      'https://acme.vault.azure.net/keys/b',
      'https://ACME.vault.azure.net/keys/b/',
    ])
      expect(made(createAzureKeyVaultKms, { keyId, credentials })).not.toThrow()
  })
})

describe('a mistake that AWS alone notices', () => {
  it('an unknown key names the key and the Region', async () => {
    const fake = createFakeAws()
    const { network, credentials: own } = fake
    const kms = createAwsKms({
      keyId: 'alias/gone',
      region: 'eu-west-1',
      credentials: own,
      network,
    })
    await expect(kms.generateDataKey({ context })).rejects.toThrow(/alias\/gone in eu-west-1/)
  })

  it('a Region that does not exist names the host', async () => {
    const { runtime, network } = testPorts()
    const place = { keyId: 'alias/app', region: 'eu-centrall-1', credentials: keys }
    const kms = createAwsKms({ ...place, runtime, network })
    await expect(kms.generateDataKey({ context })).rejects.toThrow(
      /kms\.eu-centrall-1\.amazonaws\.com/,
    )
  })
})

describe('a PEM with certificate and key together', () => {
  const own = testCertificate()
  const both = `Bag Attributes\n${own.certificate}\n${own.privateKey}`

  it('works for both options', async () => {
    const fake = createFakeAzure()
    const { tenantId, clientId } = fake.credentials
    const place = { tenantId, clientId, network: fake.network }
    const source = azureClientCertificate({ ...place, certificate: both, privateKey: both })
    // The fake does not know this certificate: what counts is that the key could be used.
    expect(await codeOf(source.get({ resource: 'https://vault.azure.net' }))).toBe(
      'ERR_KMS_UNAUTHENTICATED',
    )
  })

  it.each([
    ['-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----', /openssl pkcs8/],
    [
      '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----',
      /not encrypted/,
    ],
    ['canary', /privateKey must be PKCS#8 in PEM/],
  ])(
    'a key of another form is refused at construction, and what to do is said',
    (privateKey, message) => {
      const place = { tenantId: 'acme.example', clientId: '72f0a1c4-0000-4000-8000-000000000001' }
      const make = made(azureClientCertificate, {
        ...place,
        certificate: own.certificate,
        privateKey,
      })
      expect(make).toThrow(message)
      expect(make).not.toThrow(/canary/)
    },
  )
})
