import { expect, it } from 'vitest'
import { composeKms, type KeyManagementService } from '../../../src/index.ts'
import {
  type AuditCheckpoint,
  type AuditRecord,
  KmsAuditTrail,
  type KmsAuditTrailOptions,
  verifyAuditLog,
} from '../../../src/observability/index.ts'
import { createLocalKms } from '../../../src/providers/local/index.ts'
import { call, checkpointing, macKey } from './audit-fixture.ts'

// On the platform's own clock and timers: what collapses under load does so in real time.

const COUNT = 10_000
const versions = [{ version: 1, key: crypto.getRandomValues(new Uint8Array(32)) }]

async function trailOf(options: Partial<KmsAuditTrailOptions> = {}) {
  const place = await checkpointing()
  const log: AuditRecord[] = []
  const sink = {
    async write(records: readonly AuditRecord[]): Promise<void> {
      await new Promise((resolve) => setTimeout(resolve, 2))
      log.push(...records)
    },
  }
  let losses = 0
  const observer = { observe: () => void (losses += 1) }
  const chain = { macKey, checkpoints: place.options }
  const trail = new KmsAuditTrail({ mode: 'closed', sink, chain, observer, ...options })
  const verify = async (checkpoints: readonly AuditCheckpoint[] = place.checkpoints) =>
    verifyAuditLog(log, { macKey, checkpoints, publicKey: place.publicKey })
  return { trail, log, verify, losses: () => losses }
}

const attempt = async (kms: KeyManagementService): Promise<number> => {
  const calls = Array.from({ length: COUNT }, () => kms.generateDataKey(call))
  const outcomes = await Promise.allSettled(calls)
  return outcomes.filter(({ status }) => status === 'fulfilled').length
}

it.each(['open', 'closed'] as const)(
  '10,000 operations at once on a bare trail, %s: all succeed, and all are recorded',
  async (mode) => {
    const { trail, log, verify, losses } = await trailOf({ mode })
    expect(await attempt(trail.around(createLocalKms({ versions })))).toBe(COUNT)
    const checkpoint = await trail.checkpoint()
    expect(checkpoint?.size).toBe(COUNT)
    expect(log).toHaveLength(COUNT)
    expect(losses()).toBe(0)
    expect(await verify()).toMatchObject({ ok: true, problems: [], uncovered: [], lost: 0 })
  },
  180_000,
)

it('10,000 operations at once through highSecurity, with a queue that admits them', async () => {
  const { trail, log, verify, losses } = await trailOf()
  const kms = composeKms(createLocalKms({ versions }), {
    preset: 'highSecurity',
    audit: trail,
    deadlineMs: 60_000,
    bulkhead: { maxConcurrent: 4, maxQueue: COUNT, maxWaitMs: 50_000 },
  })
  expect(await attempt(kms)).toBe(COUNT)
  await trail.checkpoint()
  expect(log).toHaveLength(COUNT)
  expect(losses()).toBe(0)
  expect(await verify()).toMatchObject({ ok: true, problems: [], uncovered: [], lost: 0 })
}, 180_000)
