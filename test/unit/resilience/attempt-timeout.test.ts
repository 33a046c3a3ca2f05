// Which timer ends a call to a vendor whose server hangs: the stack's, an explicit one, or the default.
import { describe, expect, it } from 'vitest'
import { createGoogleCloudKms } from '../../../adapters/google-cloud-kms/index.ts'
import {
  composeKms,
  type KeyManagementService,
  type Network,
  RetryKms,
  TimeoutKms,
} from '../../../src/index.ts'
import { createAwsKms } from '../../../src/providers/aws-kms/index.ts'
import { createAzureKeyVaultKms } from '../../../src/providers/azure-key-vault/index.ts'
import { createGcpKms } from '../../../src/providers/gcp-kms/index.ts'
import { createVaultTransitKms, vaultToken } from '../../../src/providers/vault-transit/index.ts'
import { FakeWorld } from '../../support/fake-world.ts'

const call = { context: { 'edge-kms:dk': 'salt.1' } }
const keyName = 'projects/acme/locations/eu/keyRings/app/cryptoKeys/data'
const token = () => Promise.resolve({ token: 'token' })
const arn = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'
const never = (): Promise<never> => new Promise(() => undefined)
const client = new Proxy({}, { get: () => never }) as never

interface Given {
  readonly network: Network
  readonly timeoutMs?: number
}

const vendors: Readonly<Record<string, (given: Given) => KeyManagementService>> = {
  'aws-kms': (given) => {
    const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' }
    return createAwsKms({ keyId: arn, credentials, ...given })
  },
  'gcp-kms': (given) => createGcpKms({ keyName, credentials: token, ...given }),
  'google-cloud-kms': (given) => createGoogleCloudKms({ keyName, client, ...given }),
  'azure-key-vault': (given) => {
    const keyId = 'https://acme.vault.azure.net/keys/app'
    return createAzureKeyVaultKms({ keyId, credentials: token, ...given })
  },
  'vault-transit': (given) => {
    const endpoint = 'https://vault.example.com'
    return createVaultTransitKms({ endpoint, auth: vaultToken('token'), key: 'app', ...given })
  },
}

class HangingWorld extends FakeWorld {
  override fetch(): Promise<Response> {
    return never()
  }
}

async function tookMs(
  stackOver: (given: Given, world: FakeWorld) => KeyManagementService,
): Promise<number> {
  const world = new HangingWorld()
  const started = world.now()
  const kms = stackOver({ network: world }, world)
  const outcome = await world.settled(kms.generateDataKey(call))
  expect(outcome).toMatchObject({ reason: { code: 'ERR_KMS_TIMEOUT', retryable: true } })
  expect(world.timers).toBe(0)
  return world.now() - started
}

describe.each(Object.entries(vendors))('%s, whose server hangs', (_, create) => {
  it('ends after the attempt timeout of its stack, even one above its own default', async () => {
    for (const attemptTimeoutMs of [300, 4_500, 30_000])
      expect(
        await tookMs((given, { ports }) => {
          const options = { attemptTimeoutMs, deadlineMs: 60_000, retry: false } as const
          return composeKms(create(given), { ...options, ...ports })
        }),
      ).toBe(attemptTimeoutMs)
  })

  it('ends after its default by itself, and under a deadline without an attempt timeout', async () => {
    expect(await tookMs(create)).toBe(2_000)
    expect(
      await tookMs((given, { ports }) => {
        const kms = new RetryKms({ kms: create(given), maxAttempts: 1, ...ports })
        return new TimeoutKms({ kms, timeoutMs: 60_000, layer: 'operation', ...ports })
      }),
    ).toBe(2_000)
  })

  it('ends after a timeout of its own that was given, wherever it stands', async () => {
    expect(await tookMs((given) => create({ ...given, timeoutMs: 700 }))).toBe(700)
    expect(
      await tookMs((given, { ports }) => {
        const kms = create({ ...given, timeoutMs: 700 })
        return composeKms(kms, { attemptTimeoutMs: 4_500, retry: false, ...ports })
      }),
    ).toBe(700)
  })
})
