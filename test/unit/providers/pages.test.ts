import { beforeAll, describe, expect, it } from 'vitest'
import {
  BulkheadKms,
  CachedKms,
  CircuitBreakerKms,
  composeKms,
  EnvelopeCipher,
  type KeyManagementService,
  MultiKms,
  RetryKms,
  TimeoutKms,
} from '../../../src/index.ts'
import { createResilientKms } from '../../../src/config/index.ts'
import { KmsAuditTrail, KmsMetrics, lineSink } from '../../../src/observability/index.ts'
import { createAwsKms } from '../../../src/providers/aws-kms/index.ts'
import { createGcpKms } from '../../../src/providers/gcp-kms/index.ts'
import { createLocalKms } from '../../../src/providers/local/index.ts'
import { createVaultTransitKms, vaultToken } from '../../../src/providers/vault-transit/index.ts'
import { createFakeAws, createFakeGcp, createFakeVault } from '../../../adapters/fakes/index.ts'

const RECORDS = 1_000
const KEYS = 20
const BAD = 500

interface Vendor {
  readonly kms: KeyManagementService
  /** Calls that open data keys, and how many data keys each is for. */
  readonly unwraps: () => readonly number[]
  readonly forget: () => void
}

const endpoint = 'https://vault.example.test:8200'
const vault = createFakeVault({ keys: [{ name: 'app' }, { name: 'b' }] })
const local = createLocalKms({
  kekId: 'other',
  versions: [{ version: 1, key: crypto.getRandomValues(new Uint8Array(32)) }],
})
const newVault = (key = 'app'): KeyManagementService =>
  createVaultTransitKms({ endpoint, key, auth: vaultToken(vault.token), network: vault.network })
const vaultUnwraps = (): readonly number[] =>
  vault.calls.filter(({ operation }) => operation === 'decrypt').map(({ items }) => items ?? 1)

const vendors: Readonly<Record<string, () => Vendor>> = {
  'AWS KMS': () => {
    const aws = createFakeAws()
    const { credentials, network } = aws
    const kms = createAwsKms({ keyId: aws.createKey().arn, credentials, network })
    const unwraps = () => Array<number>(aws.count('Decrypt')).fill(1)
    return { kms, unwraps, forget: () => aws.forgetCalls() }
  },
  'GCP Cloud KMS': () => {
    const gcp = createFakeGcp()
    const { credentials, network } = gcp
    const kms = createGcpKms({ keyName: gcp.createKey(), credentials, network })
    const unwraps = () => Array<number>(gcp.count('Decrypt')).fill(1)
    return { kms, unwraps, forget: () => gcp.forgetCalls() }
  },
  'Vault transit': () => ({
    kms: newVault(),
    unwraps: vaultUnwraps,
    forget: () => vault.forgetCalls(),
  }),
}

interface Sealed {
  readonly envelope: Uint8Array
  readonly context: { readonly tenant: string }
}

/** A page of records under twenty data keys; two have a context that no header knows. */
async function pageOf(kms: KeyManagementService): Promise<readonly Sealed[]> {
  const contextOf = (i: number) => ({ tenant: String(i % KEYS) })
  const items = Array.from({ length: RECORDS }, (_, i) => ({
    plaintext: new Uint8Array([i & 255, i >> 8]),
    context: contextOf(i),
  }))
  return (await new EnvelopeCipher({ kms }).encryptMany(items)).map((outcome, i) => {
    if (!outcome.ok) throw outcome.error
    const context = i % BAD === BAD - 1 ? { tenant: 'evil' } : contextOf(i)
    return { envelope: outcome.value, context }
  })
}

async function expectPage(cipher: EnvelopeCipher, page: readonly Sealed[]): Promise<void> {
  const opened = await cipher.decryptMany(page)
  expect(opened).toHaveLength(RECORDS)
  for (const [i, outcome] of opened.entries()) {
    if (i % BAD === BAD - 1) expect(outcome.ok || outcome.error.code).toBe('ERR_DECRYPT_FAILED')
    else expect(outcome.ok && [...outcome.value]).toEqual([i & 255, i >> 8])
  }
}

describe('1,000 records under 20 data keys', () => {
  it.each(Object.entries(vendors))('%s: each data key is unwrapped once', async (name, create) => {
    const { kms, unwraps, forget } = create()
    const page = await pageOf(kms)
    forget()
    await expectPage(new EnvelopeCipher({ kms }), page)
    expect(unwraps()).toEqual(name === 'Vault transit' ? [KEYS] : Array(KEYS).fill(1))
  })
})

describe('Vault: one call for 20 data keys, whatever stands around it', () => {
  const audited: string[] = []
  const trail = (): KmsAuditTrail =>
    new KmsAuditTrail({ mode: 'closed', sink: lineSink((line) => void audited.push(line)) })
  const stacks: Readonly<Record<string, (kms: KeyManagementService) => EnvelopeCipher>> = {
    RetryKms: (kms) => new EnvelopeCipher({ kms: new RetryKms({ kms }) }),
    CircuitBreakerKms: (kms) => new EnvelopeCipher({ kms: new CircuitBreakerKms({ kms }) }),
    BulkheadKms: (kms) => new EnvelopeCipher({ kms: new BulkheadKms({ kms }) }),
    'TimeoutKms, attempt': (kms) =>
      new EnvelopeCipher({ kms: new TimeoutKms({ kms, timeoutMs: 60_000, layer: 'attempt' }) }),
    'TimeoutKms, operation': (kms) =>
      new EnvelopeCipher({ kms: new TimeoutKms({ kms, timeoutMs: 60_000, layer: 'operation' }) }),
    'KmsAuditTrail.around': (kms) => new EnvelopeCipher({ kms: trail().around(kms) }),
    'MultiKms of one': (kms) => new EnvelopeCipher({ kms: new MultiKms({ read: [kms] }) }),
    'MultiKms before a KEK without batches': (kms) =>
      new EnvelopeCipher({ kms: new MultiKms({ read: [kms, local] }) }),
    'MultiKms in MultiKms': (kms) =>
      new EnvelopeCipher({
        kms: new MultiKms({ read: [new MultiKms({ read: [kms] }), local], hedge: { afterMs: 50 } }),
      }),
    'MultiKms in a RetryKms': (kms) =>
      new EnvelopeCipher({ kms: new RetryKms({ kms: new MultiKms({ read: [local, kms] }) }) }),
    CachedKms: (kms) => new EnvelopeCipher({ keys: new CachedKms({ kms }) }),
    'no cache': (kms) => new EnvelopeCipher({ kms, cache: false }),
    'composeKms of one': (kms) =>
      new EnvelopeCipher({ kms: composeKms(kms, { deadlineMs: 60_000 }) }),
    'composeKms of two, with audit and metrics': (kms) =>
      new EnvelopeCipher({
        kms: composeKms([local, kms], {
          preset: 'highAvailability',
          deadlineMs: 60_000,
          attemptTimeoutMs: 30_000,
          audit: trail(),
          observer: new KmsMetrics(),
        }),
      }),
  }
  let page: readonly Sealed[]
  beforeAll(async () => {
    page = await pageOf(newVault())
  })

  it.each(Object.entries(stacks))('%s', async (_, around) => {
    vault.forgetCalls()
    await expectPage(around(newVault()), page)
    expect(vaultUnwraps()).toEqual([KEYS])
  })

  it('the audit trail has a record for each data key all the same', () => {
    const lines = audited.filter((line) => line.includes('unwrapMany'))
    expect(lines.length).toBe(2 * KEYS)
  })

  it('createResilientKms of plain JSON, two keys of one Vault', async () => {
    const config = {
      preset: 'production',
      deadlineMs: 60_000,
      attemptTimeoutMs: 30_000,
      kms: ['b', 'app'].map((key) => ({
        provider: 'vault-transit' as const,
        endpoint,
        key,
        auth: { type: 'token' as const, token: vault.token },
      })),
    } as const
    const { keys } = createResilientKms(config, { network: vault.network })
    vault.forgetCalls()
    await expectPage(new EnvelopeCipher({ keys }), page)
    expect(vaultUnwraps()).toEqual([KEYS])
  })

  it('a KEK of Vault that is down: its whole batch goes on to the other, in one call', async () => {
    const both = new MultiKms({ read: [newVault('app'), newVault('b')] })
    const doubled = await pageOf(both)
    vault.forgetCalls()
    vault.faults.push({ kind: 'sealed', operation: 'decrypt' })
    await expectPage(
      new EnvelopeCipher({ kms: new MultiKms({ read: [newVault('app'), newVault('b')] }) }),
      doubled,
    )
    // The fake does not read what it refuses while it is sealed.
    expect(vaultUnwraps()).toEqual([1, KEYS])
  })
})
