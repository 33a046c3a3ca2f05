import { describe, expect, it } from 'vitest'
import { EnvelopeCipher, type KeyManagementService, MultiKms } from '../../../src/index.ts'
import { KeyRotationManager } from '../../../src/rotation/key-rotation-manager.ts'
import type { KeyRotationManagerOptions } from '../../../src/rotation/manager-options.ts'
import { runRotation } from '../../../src/rotation/run-rotation.ts'
import { VENDOR_TERMS, quotaOf, termsOf } from '../../../src/rotation/vendor-terms.ts'
import { Clock, kmsAt, MemorySource, StagedKms, utf8 } from './fixture.ts'
import { context, tableOf } from './tables.ts'

const KMS_MS = 20
const STORE_MS = 5

/** Requests of the calls on data keys, as a vendor would count them. */
class Vendor {
  readonly kms: StagedKms
  requests = 0
  constructor(inner: KeyManagementService, clock: Clock) {
    this.kms = new StagedKms(inner)
    this.kms.stage = async (operation) => {
      if (operation !== 'currentVersion') this.requests += 1
      await clock.sleep(KMS_MS)
    }
  }
}

async function world(
  source: MemorySource,
  options: Partial<KeyRotationManagerOptions>,
  build = (vendors: Vendor[], clock: Clock): KeyManagementService => {
    const vendor = new Vendor(kmsAt(2), clock)
    vendors.push(vendor)
    return vendor.kms
  },
) {
  const clock = new Clock()
  const vendors: Vendor[] = []
  source.before = () => clock.sleep(STORE_MS)
  const kms = build(vendors, clock)
  const managerOf = (): KeyRotationManager =>
    new KeyRotationManager({ kms, sources: [source], pageSize: 10, ...clock.ports, ...options })
  const plan = await managerOf().plan()
  const planned = vendors.reduce((sum, { requests }) => sum + requests, 0)
  const startMs = clock.nowMs
  const result = await runRotation(managerOf(), { plan })
  const requests = vendors.reduce((sum, vendor) => sum + vendor.requests, 0) - planned
  return { plan, planned, result, requests, tookMs: clock.nowMs - startMs }
}

/** Rows of which some share a data key, and some are current. */
async function mixedTable(): Promise<MemorySource> {
  const source = await tableOf(24)
  const shared = new EnvelopeCipher({ kms: kmsAt(1) })
  const current = new EnvelopeCipher({ kms: kmsAt(2), cache: false })
  for (let i = 0; i < 12; i += 1) {
    source.set(`s${String(i)}`, { secret: await shared.encrypt(utf8('x'), { context }) })
    source.set(`t${String(i)}`, { secret: await current.encrypt(utf8('x'), { context }) })
  }
  source.set('plain', { secret: 'plain' })
  return source
}

describe('R29 the forecast', () => {
  it('has exactly the calls of the run, makes none itself, and its time within a tenth', async () => {
    const { plan, planned, result, requests, tookMs } = await world(await mixedTable(), {})
    expect(plan).toMatchObject({ records: 49, dataKeys: 25, kmsCalls: 75, sweeps: 2 })
    expect(planned).toBe(0)
    expect(requests).toBe(plan.kmsCalls)
    expect(result.counts.kmsCalls).toBe(plan.kmsCalls)
    expect(result.counts.done).toBe(plan.counts.done)
    expect(tookMs / plan.timeMs).toBeGreaterThan(0.9)
    expect(tookMs / plan.timeMs).toBeLessThan(1.1)
  })

  it('has the time of a run that the rate limits', async () => {
    const rate = { requestsPerSecond: 10 }
    const { plan, result, tookMs } = await world(await mixedTable(), { rate })
    expect(plan.requestsPerSecond).toBe(10)
    expect(result.phase).toBe('finished')
    expect(tookMs).toBeGreaterThan(6_700)
    expect(tookMs / plan.timeMs).toBeGreaterThan(0.9)
    expect(tookMs / plan.timeMs).toBeLessThan(1.1)
  })

  it('has the calls of several KEKs, and of a rewrap that is not proven', async () => {
    const build = (vendors: Vendor[], clock: Clock): KeyManagementService => {
      vendors.push(new Vendor(kmsAt(2), clock), new Vendor(kmsAt(1, 'second'), clock))
      const both = vendors.map(({ kms }) => kms)
      return new MultiKms({ write: both, read: both })
    }
    for (const verify of ['open', 'kms'] as const) {
      const { plan, result, requests } = await world(await mixedTable(), { verify }, build)
      expect(requests).toBe(plan.kmsCalls)
      expect(result.counts.kmsCalls).toBe(plan.kmsCalls)
      expect(plan.requests).toEqual([{ provider: 'local', requests: plan.kmsCalls, usd: 0 }])
    }
  })

  it('says that nothing is to be done, and reads everything once then', async () => {
    const source = new MemorySource()
    source.set('plain', { secret: 'plain' })
    const { plan, result } = await world(source, {})
    expect(plan).toMatchObject({ kmsCalls: 0, dataKeys: 0, sweeps: 1, usd: 0 })
    expect(result.phase).toBe('finished')
  })

  it('tells how much is left while the job runs', async () => {
    const source = await tableOf(40)
    const clock = new Clock()
    source.before = () => clock.sleep(STORE_MS)
    const { kms } = new Vendor(kmsAt(2), clock)
    const rate = { requestsPerSecond: 20 }
    const manager = new KeyRotationManager({
      kms,
      sources: [source],
      pageSize: 4,
      rate,
      ...clock.ports,
    })
    const plan = await manager.plan()
    const seen: { readonly atMs: number; readonly etaMs: number; readonly share: number }[] = []
    await runRotation(manager, {
      plan,
      progress: ({ etaMs = NaN, share = NaN }) =>
        void seen.push({ atMs: clock.nowMs, etaMs, share }),
    })
    const endMs = clock.nowMs
    const half = seen[Math.floor(seen.length / 4)] ?? { atMs: 0, etaMs: 0, share: 0 }
    expect(half.etaMs / (endMs - half.atMs)).toBeGreaterThan(0.8)
    expect(half.etaMs / (endMs - half.atMs)).toBeLessThan(1.2)
    expect(seen.at(-1)).toMatchObject({ share: 1, etaMs: 0 })
    expect(seen.every(({ share }, i) => share >= (seen[i - 1]?.share ?? 0))).toBe(true)
  })
})

describe('vendor terms', () => {
  it('have a date and pages for every provider', () => {
    const providers = VENDOR_TERMS.map(({ provider }) => provider)
    expect(providers).toEqual(['aws-kms', 'gcp-kms', 'azure-key-vault', 'vault-transit', 'local'])
    for (const { asOf, pages, provider } of VENDOR_TERMS) {
      expect(asOf).toMatch(/^\d{4}-\d{2}-\d{2}$/)
      expect(pages.length > 0 || provider === 'local').toBe(true)
    }
  })

  it('depend on the region of AWS, and limit by the slowest vendor', () => {
    const key = (region: string) => {
      const kekId = `arn:aws:kms:${region}:111122223333:key/1`
      return { provider: 'aws-kms', kekId, kekVersion: '' }
    }
    expect(termsOf(key('us-east-1'))?.requestsPerSecond).toBe(100_000)
    expect(termsOf(key('eu-north-1'))?.requestsPerSecond).toBe(10_000)
    const gcp = { provider: 'gcp-kms', kekId: 'k', kekVersion: '1' }
    expect(quotaOf([key('us-east-1'), gcp])).toBe(1_000)
    expect(quotaOf([{ provider: 'local', kekId: 'a', kekVersion: '1' }])).toBe(Infinity)
    expect(termsOf({ provider: 'x', kekId: 'a', kekVersion: '1' })).toBeUndefined()
  })
})
