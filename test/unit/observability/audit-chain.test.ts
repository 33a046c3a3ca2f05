import { expect, it } from 'vitest'
import { AuditChain } from '../../../src/observability/audit-chain.ts'
import { type AuditRecord, verifyAuditLog } from '../../../src/observability/index.ts'
import { FakeWorld } from '../../support/fake-world.ts'
import { keyPair } from './audit-fixture.ts'

const event = {
  atMs: 0,
  durationMs: 0,
  operation: 'healthCheck',
  provider: 'p',
  outcome: 'success',
  errorType: '',
  actor: '',
  dataKey: '',
  keys: [],
} as const

it('a writer whose record was given up while it waited is told so, and not that all is well', async () => {
  const world = new FakeWorld()
  const chain = new AuditChain(world, world)
  const first = chain.append(event)
  const mine = chain.records([first])
  for (let i = 0; i < 1_000; i++) chain.append(event)
  expect(chain.trim()).toBe(1)
  await expect(mine).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
})

it('a record that another has written meanwhile is not written again', async () => {
  const world = new FakeWorld()
  const chain = new AuditChain(world, world)
  const first = chain.append(event)
  world.nowMs += 1_000
  const second = chain.append(event)
  const both = await chain.records([second])
  expect(both.map(({ seq }) => seq)).toEqual([0, 1])
  chain.written(both)
  expect(await chain.records([first])).toEqual([])
})

it.each([1, 2, 3, 4, 5])(
  'R32 writers that end in any order: chain and checkpoints hold (%d)',
  async (seed) => {
    const world = new FakeWorld()
    const chain = new AuditChain(world, world)
    const { privateKey, publicKey } = await keyPair()
    let state = seed * 7_919
    const below = (n: number): number => (state = (state * 48_271) % 2_147_483_647) % n
    const log: AuditRecord[] = []
    const checkpoints = []
    for (let round = 0; round < 40; round++) {
      const writers = Array.from({ length: 1 + below(8) }, () => [chain.append(event)])
      const made = await Promise.all(writers.map((own) => chain.records(own)))
      for (const records of made.sort(() => below(3) - 1)) {
        // Some fail, and their records go along with a later one.
        if (below(4) === 0) continue
        log.push(...records)
        chain.written(records)
      }
      world.nowMs += below(1_500)
      const checkpoint = await chain.checkpoint(privateKey)
      if (checkpoint === undefined) continue
      // What is promised is in the log by now.
      const held = new Set(log.map(({ seq }) => seq))
      expect(Array.from({ length: checkpoint.size }, (_, seq) => held.has(seq))).not.toContain(
        false,
      )
      checkpoints.push(checkpoint)
    }
    world.nowMs += 1_000
    log.push(...(await chain.records([chain.append(event)])))
    log.sort((a, b) => a.seq - b.seq)
    expect(checkpoints.length).toBeGreaterThan(0)
    expect(await verifyAuditLog(log, { checkpoints, publicKey })).toMatchObject({ ok: true })
  },
)
