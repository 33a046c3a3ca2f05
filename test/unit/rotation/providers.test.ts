// Each vendor's own rotation, over the fakes that answer as the vendors do: what must be rewrapped, and what it costs.
import { describe, expect, it } from 'vitest'
import {
  createFakeAws,
  createFakeAzure,
  createFakeGcp,
  createFakeVault,
} from '../../../adapters/fakes/index.ts'
import {
  EnvelopeCipher,
  type KeyManagementService,
  MultiKms,
  type Network,
} from '../../../src/index.ts'
import { createAwsKms } from '../../../src/providers/aws-kms/index.ts'
import {
  azureClientSecret,
  createAzureKeyVaultKms,
} from '../../../src/providers/azure-key-vault/index.ts'
import { createGcpKms } from '../../../src/providers/gcp-kms/index.ts'
import { createVaultTransitKms, vaultToken } from '../../../src/providers/vault-transit/index.ts'
import { KeyRotationManager } from '../../../src/rotation/key-rotation-manager.ts'
import { runRotation } from '../../../src/rotation/run-rotation.ts'
import { MemorySource, utf8 } from './fixture.ts'

const context = { tenant: 'acme' }

/** Requests on data keys, by what each vendor calls them. */
const ON_DATA_KEYS =
  /TrentService\.(Encrypt|Decrypt|ReEncrypt|GenerateDataKey)\b|:(en|de)crypt\b|\/(un)?wrapkey\b|\/(encrypt|decrypt|rewrap)\//i

/** Returns a network that counts the requests on data keys. */
function counting(network: Network): { readonly network: Network; readonly count: () => number } {
  let requests = 0
  const fetch: Network['fetch'] = (url, init) => {
    const target = new Headers(init.headers).get('x-amz-target') ?? ''
    if (ON_DATA_KEYS.test(`${target} ${url}`)) requests += 1
    return network.fetch(url, init)
  }
  const after: Network['after'] = (...given) => network.after(...given)
  return { network: { fetch, after, jitter: () => network.jitter() }, count: () => requests }
}

interface Vendor {
  readonly kms: KeyManagementService
  readonly count: () => number
}

const vendors: Readonly<Record<string, () => Vendor>> = {
  'aws-kms': () => {
    const aws = createFakeAws()
    const { credentials, region } = aws
    const { network, count } = counting(aws.network)
    return {
      kms: createAwsKms({ credentials, network, region, keyId: aws.createKey().arn }),
      count,
    }
  },
  'gcp-kms': () => {
    const gcp = createFakeGcp()
    const { network, count } = counting(gcp.network)
    const { credentials } = gcp
    return { kms: createGcpKms({ credentials, network, keyName: gcp.createKey() }), count }
  },
  'azure-key-vault': () => {
    const azure = createFakeAzure()
    const { network, count } = counting(azure.network)
    const credentials = azureClientSecret({ ...azure.credentials, network })
    const keyId = azure.createKey()
    return {
      kms: createAzureKeyVaultKms({ credentials, network, keyId, timeoutMs: 60_000 }),
      count,
    }
  },
  'vault-transit': () => {
    const vault = createFakeVault({ keys: [{ name: 'app' }] })
    const { network, count } = counting(vault.network)
    const { endpoint, token } = vault
    return {
      kms: createVaultTransitKms({ endpoint, network, auth: vaultToken(token), key: 'app' }),
      count,
    }
  },
}

async function tableUnder(kms: KeyManagementService, rows: number): Promise<MemorySource> {
  const source = new MemorySource()
  const cipher = new EnvelopeCipher({ kms, cache: false })
  for (let i = 0; i < rows; i += 1)
    source.set(`r${String(i)}`, {
      secret: await cipher.encrypt(utf8(`row ${String(i)}`), { context }),
    })
  return source
}

describe.each(['gcp-kms', 'azure-key-vault', 'vault-transit'])('%s', (name) => {
  it('R27 R29 has a version bump make every value stale, and costs exactly what the plan says', async () => {
    const { kms, count } = (vendors[name] as () => Vendor)()
    const source = await tableUnder(kms, 4)
    const manager = new KeyRotationManager({ kms, sources: [source], pageSize: 3 })
    const [old] = (await manager.census()).versions
    expect((await manager.plan()).kmsCalls).toBe(0)
    const [next] = await manager.rotateMasterKey()
    expect(next?.kekVersion).not.toBe(old?.kekVersion)
    const plan = await manager.plan()
    const before = count()
    const result = await runRotation(manager)
    expect(result).toMatchObject({ phase: 'finished', deksRotated: 4, deksFailed: 0 })
    expect(count() - before).toBe(plan.kmsCalls)
    expect(result.counts.kmsCalls).toBe(plan.kmsCalls)
    expect((await manager.census()).versions).toEqual([{ ...next, wraps: 4 }])
    const reader = new EnvelopeCipher({ kms })
    const back = await reader.decrypt(source.value('r2') as Uint8Array, { context })
    expect(new TextDecoder().decode(back)).toBe('row 2')
  })
})

it('aws-kms: R27 a version bump makes nothing stale, as its keys keep all their material', async () => {
  const { kms } = (vendors['aws-kms'] as () => Vendor)()
  const source = await tableUnder(kms, 3)
  const manager = new KeyRotationManager({ kms, sources: [source] })
  await manager.rotateMasterKey()
  expect(await manager.plan()).toMatchObject({ kmsCalls: 0, counts: { current: 3 } })
})

describe.each([
  ['aws-kms', 'aws-kms'],
  ['aws-kms', 'gcp-kms'],
  ['gcp-kms', 'vault-transit'],
  ['azure-key-vault', 'aws-kms'],
])('from %s to %s', (from, to) => {
  it('moves every value to the other KEK while both can be read, at the cost of the plan', async () => {
    const [old, next] = [from, to].map((name) => (vendors[name] as () => Vendor)()) as [
      Vendor,
      Vendor,
    ]
    const source = await tableUnder(old.kms, 3)
    const kms = new MultiKms({ write: [next.kms], read: [next.kms, old.kms] })
    const manager = new KeyRotationManager({ kms, sources: [source] })
    const plan = await manager.plan()
    const before = old.count() + next.count()
    const result = await runRotation(manager)
    expect(result).toMatchObject({ phase: 'finished', deksRotated: 3, deksFailed: 0 })
    expect(old.count() + next.count() - before).toBe(plan.kmsCalls)
    expect(plan.usd).toBeCloseTo(
      plan.requests.reduce((sum, { usd }) => sum + usd, 0),
      12,
    )
    expect(plan.requests.map(({ provider }) => provider).sort()).toEqual(
      [...new Set([from, to])].sort(),
    )
    const reader = new EnvelopeCipher({ kms: next.kms })
    const back = await reader.decrypt(source.value('r1') as Uint8Array, { context })
    expect(new TextDecoder().decode(back)).toBe('row 1')
  })
})
