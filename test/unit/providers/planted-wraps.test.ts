// A wrap that opens to something else than a DEK: anyone who may encrypt under the key can plant one.
import { describe, expect, it } from 'vitest'
import { type KeyManagementService, SecretBytes, type WrappedKey } from '../../../src/index.ts'
import { createAwsKms } from '../../../src/providers/aws-kms/index.ts'
import {
  azureClientSecret,
  createAzureKeyVaultKms,
} from '../../../src/providers/azure-key-vault/index.ts'
import { createGcpKms } from '../../../src/providers/gcp-kms/index.ts'
import { createVaultTransitKms, vaultToken } from '../../../src/providers/vault-transit/index.ts'
import {
  createFakeAws,
  createFakeAzure,
  createFakeGcp,
  createFakeVault,
} from '../../../adapters/fakes/index.ts'
import { codeOf } from '../credentials/aws/ports.ts'

const context = { tenant: 'acme', 'edge-kms:dk': 'salt.1' }

interface Place {
  readonly kms: KeyManagementService
  /** The next answer holds a plaintext of another length. */
  readonly plant: () => void
}

const places: Readonly<Record<string, () => Place>> = {
  'aws-kms': () => {
    const fake = createFakeAws()
    const { credentials, network } = fake
    const kms = createAwsKms({ credentials, network, keyId: fake.createKey().arn })
    return { kms, plant: () => fake.faults.push({ kind: 'wrong-length', times: 1 }) }
  },
  'gcp-kms': () => {
    const fake = createFakeGcp()
    const { credentials, network } = fake
    const kms = createGcpKms({ credentials, network, keyName: fake.createKey() })
    return { kms, plant: () => fake.faults.push({ kind: 'wrong-length', times: 1 }) }
  },
  'azure-key-vault': () => {
    const fake = createFakeAzure()
    const { network } = fake
    const credentials = azureClientSecret({ ...fake.credentials, network })
    const keyId = fake.createKey()
    const kms = createAzureKeyVaultKms({ credentials, network, keyId, timeoutMs: 60_000 })
    return { kms, plant: () => fake.faults.push({ kind: 'wrong-length', times: 1 }) }
  },
  'vault-transit': () => {
    const fake = createFakeVault({ keys: [{ name: 'app' }] })
    const { endpoint, network, token } = fake
    const kms = createVaultTransitKms({ endpoint, network, auth: vaultToken(token), key: 'app' })
    return { kms, plant: () => fake.faults.push({ kind: 'wrong-length', times: 1 }) }
  },
}

describe.each(Object.entries(places))(
  '%s: a wrap that opens to something else than 32 bytes',
  (_name, make) => {
    it('is handed on as it is, for the caller to try the next wrap', async () => {
      const { kms, plant } = make()
      const { wraps, plaintext: dek } = await kms.generateDataKey({ context })
      const [wrap] = wraps as [WrappedKey]
      const planted = { ...wrap }
      plant()
      const opened = await kms.unwrapDataKey([planted, wrap], { context })
      expect(opened.by).toBe(planted)
      expect(opened.plaintext.length).not.toBe(32)
      const right = await kms.unwrapDataKey([wrap], { context })
      expect(right.plaintext.expose()).toEqual(dek.expose())
    })

    it('is an outcome like any other in a batch', async () => {
      const { kms, plant } = make()
      const { wraps } = await kms.generateDataKey({ context })
      plant()
      const [outcome] = await kms.unwrapMany([{ wraps, context }], {})
      expect(outcome?.ok).toBe(true)
    })

    it('does not hide the right one from a rewrap', async () => {
      const { kms, plant } = make()
      if (kms.capabilities.rewrapsInside) return // the DEK does not come here
      const { wraps, plaintext: dek } = await kms.generateDataKey({ context })
      const [wrap] = wraps as [WrappedKey]
      plant()
      const again = await kms.rewrapDataKey([{ ...wrap }, wrap], { context })
      const opened = await kms.unwrapDataKey(again, { context })
      expect(opened.plaintext.expose()).toEqual(dek.expose())
      plant()
      expect(await codeOf(kms.rewrapDataKey([wrap], { context }))).toBe('ERR_DECRYPT_FAILED')
    })

    it('is refused where the KMS makes it for a write', async () => {
      const { kms } = make()
      const short = SecretBytes.take(new Uint8Array(16))
      await expect(kms.wrapDataKey(short, { context })).rejects.toThrow(TypeError)
    })
  },
)

it('a DEK of another length that AWS makes is refused', async () => {
  const { kms, plant } = (places['aws-kms'] as () => Place)()
  plant()
  expect(await codeOf(kms.generateDataKey({ context }))).toBe('ERR_KMS_RESPONSE_INVALID')
})
