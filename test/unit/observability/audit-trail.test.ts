import { describe, expect, it, vi } from 'vitest'
import { composeKms } from '../../../src/index.ts'
import {
  type AuditCheckpoint,
  type AuditRecord,
  KmsAuditTrail,
  type KmsAuditTrailOptions,
  verifyAuditLog,
} from '../../../src/observability/index.ts'
import { createLocalKms } from '../../../src/providers/local/index.ts'
import { kmsContract } from '../../../src/testing/index.ts'
import { runContract } from '../../support/contract.ts'
import { turn } from '../../support/fake-world.ts'
import { fail, hang, ScriptedKms } from '../../support/scripted-kms.ts'
import { call, DATA_KEY, keyPair, setup } from './audit-fixture.ts'

describe('contract: a local KMS, audited', () => {
  const versions = [{ version: 1, key: crypto.getRandomValues(new Uint8Array(32)) }]
  const over = (kekId: string) => setup().trail.around(createLocalKms({ kekId, versions }))
  runContract(
    kmsContract(over('a').capabilities, { create: () => over('a'), createOther: () => over('b') }),
  )
})

describe('R32 what is recorded', () => {
  it('one event for each operation, with actor, keys, data key and outcome', async () => {
    const { kms, inner, log, world } = setup({ actor: () => 'alice' })
    const { plaintext, wraps } = await kms.generateDataKey(call)
    await kms.wrapDataKey(plaintext, call)
    await kms.unwrapDataKey(wraps, call)
    await kms.rewrapDataKey(wraps, call)
    await kms.currentVersion({})
    await kms.rotateKey({})
    await kms.healthCheck({})
    inner.script = [fail('ERR_KMS_ACCESS_DENIED')]
    await expect(kms.unwrapDataKey(wraps, call)).rejects.toMatchObject({
      code: 'ERR_KMS_ACCESS_DENIED',
    })
    const key = { provider: 'scripted', kekId: 'k', kekVersion: '' }
    const facts = { provider: 'scripted', actor: 'alice', durationMs: 0, atMs: world.now() }
    const good = { ...facts, outcome: 'success', errorType: '' }
    expect(log.map(({ event }) => event)).toEqual([
      { ...good, operation: 'generateDataKey', dataKey: DATA_KEY, keys: [key] },
      { ...good, operation: 'wrapDataKey', dataKey: DATA_KEY, keys: [key] },
      { ...good, operation: 'unwrapDataKey', dataKey: DATA_KEY, keys: [key] },
      { ...good, operation: 'rewrapDataKey', dataKey: DATA_KEY, keys: [key] },
      { ...good, operation: 'currentVersion', dataKey: '', keys: [key] },
      { ...good, operation: 'rotateKey', dataKey: '', keys: [key] },
      { ...good, operation: 'healthCheck', dataKey: '', keys: [] },
      {
        ...facts,
        operation: 'unwrapDataKey',
        outcome: 'failure',
        errorType: 'ERR_KMS_ACCESS_DENIED',
        dataKey: DATA_KEY,
        keys: [key],
      },
    ])
    expect((await verifyAuditLog(log)).ok).toBe(true)
  })

  it('one event for each item of a batch', async () => {
    const { kms, log } = setup()
    const { wraps } = await kms.generateDataKey(call)
    const foreign = wraps.map((wrap) => ({ ...wrap, provider: 'other' }))
    const items = [wraps, foreign].map((list) => ({ wraps: list, context: call.context }))
    await kms.unwrapMany(items, {})
    expect(log.slice(1).map(({ event }) => [event.operation, event.errorType])).toEqual([
      ['unwrapMany', ''],
      ['unwrapMany', 'ERR_ENVELOPE_UNKNOWN_KEY'],
    ])
  })

  it('R12 nothing of the context but the data key, no DEK, and no control characters', async () => {
    const { kms, log } = setup({ actor: () => `eve\n{"v":1}${'x'.repeat(400)}` })
    const { plaintext } = await kms.generateDataKey(call)
    await kms.generateDataKey({ context: { 'edge-kms:dk': 'canary-value' } })
    const text = JSON.stringify(log)
    expect(text).not.toContain('canary')
    expect(text).not.toContain(String(plaintext.expose()))
    expect(log[0]?.event.actor).toHaveLength(256)
    expect(log[0]?.event.actor).toContain('eve {')
  })

  it('an actor that throws is nobody', async () => {
    const { kms, log } = setup({
      actor: () => {
        throw new Error('no session')
      },
    })
    await kms.generateDataKey(call)
    expect(log[0]?.event.actor).toBe('')
  })

  it('an abort is recorded as one', async () => {
    const { kms, inner, log } = setup()
    inner.always = () => {
      throw new DOMException('gone', 'AbortError')
    }
    await expect(kms.generateDataKey(call)).rejects.toThrow('gone')
    expect(log[0]?.event.errorType).toBe('aborted')
  })
})

describe('R32 fail-closed', () => {
  it.each([
    ['down', () => Promise.reject(new Error('down'))],
    ['hanging', hang],
  ] as const)('a sink that is %s: nothing is given out, the DEK is wiped', async (_, before) => {
    const { kms, inner, sink, world } = setup()
    sink.before = before
    const outcome = await world.settled(kms.generateDataKey(call))
    expect(outcome).toMatchObject({ reason: { code: 'ERR_STORE_UNAVAILABLE', retryable: true } })
    expect(() => inner.made[0]?.length).toThrow(TypeError)
    expect(world.events).toMatchObject([{ type: 'audit-loss', operation: 'generateDataKey' }])
    expect(world.timers).toBe(0)
  })

  it('the secrets of a batch are wiped too', async () => {
    const { kms, inner, sink, world } = setup()
    const { wraps } = await inner.generateDataKey(call)
    sink.before = () => Promise.reject(new Error('down'))
    const items = [{ wraps, context: call.context }]
    expect((await world.settled(kms.unwrapMany(items, {}))).status).toBe('rejected')
    expect(() => inner.made[1]?.length).toThrow(TypeError)
  })

  it('an operation that failed keeps its error', async () => {
    const { kms, inner, sink } = setup()
    sink.before = () => Promise.reject(new Error('down'))
    inner.always = fail('ERR_KMS_THROTTLED')
    await expect(kms.generateDataKey(call)).rejects.toMatchObject({ code: 'ERR_KMS_THROTTLED' })
  })

  it('what could not be written goes along with the next write: the chain has no hole', async () => {
    const { kms, sink, log, world } = setup()
    sink.before = () => Promise.reject(new Error('down'))
    for (let i = 0; i < 3; i++) await kms.generateDataKey(call).catch(() => undefined)
    sink.before = () => undefined
    world.nowMs += 1_000
    await kms.generateDataKey(call)
    expect(log.map(({ seq }) => seq)).toEqual([0, 1, 2, 3])
    expect((await verifyAuditLog(log)).ok).toBe(true)
  })

  it('a log that was down for long has a hole, and says so', async () => {
    const { kms, sink, log, world } = setup()
    sink.before = () => Promise.reject(new Error('down'))
    for (let i = 0; i < 1_100; i++) await kms.generateDataKey(call).catch(() => undefined)
    sink.before = () => undefined
    world.nowMs += 1_000
    await kms.generateDataKey(call)
    expect(await verifyAuditLog(log)).toMatchObject({ ok: false, problem: 'dropped', seq: 0 })
  })
})

describe('R32 fail-open', () => {
  it('goes on, keeps the write alive, and tells of the loss', async () => {
    const { kms, sink, world } = setup({ mode: 'open' })
    sink.before = hang
    const deferred: Promise<unknown>[] = []
    const defer = (work: Promise<unknown>): void => void deferred.push(work)
    const { plaintext } = await kms.generateDataKey({ ...call, defer })
    expect(plaintext.length).toBe(32)
    expect(deferred).toHaveLength(1)
    await world.advance(1_000)
    expect(world.events).toMatchObject([{ type: 'audit-loss' }])
  })
})

it('many at the same time make one chain, whoever writes first', async () => {
  const { kms, sink, log } = setup()
  let n = 0
  sink.before = () => (n++ % 2 === 0 ? turn() : undefined)
  await Promise.all(Array.from({ length: 50 }, () => kms.generateDataKey(call)))
  expect(log).toHaveLength(50)
  expect((await verifyAuditLog(log, { slack: 50 })).ok).toBe(true)
})

it('many at the same time cost one digest each', async () => {
  const { kms, log } = setup()
  const digest = vi.spyOn(crypto.subtle, 'digest')
  await Promise.all(Array.from({ length: 300 }, () => kms.generateDataKey(call)))
  expect(digest).toHaveBeenCalledTimes(300)
  digest.mockRestore()
  expect(new Set(log.map(({ seq }) => seq)).size).toBe(300)
})

it('who computes the hashes of others dies: they do it themselves', async () => {
  const { kms, log, world } = setup()
  const digest = vi
    .spyOn(crypto.subtle, 'digest')
    .mockImplementationOnce(() => new Promise(() => undefined))
  void kms.generateDataKey(call)
  await turn()
  const others = await world.settled(Promise.all([1, 2, 3].map(() => kms.generateDataKey(call))))
  digest.mockRestore()
  expect(others.status).toBe('fulfilled')
  expect(log.map(({ seq }) => seq).sort()).toEqual([1, 2, 3])
  // The one that is dead has a place in the chain: whoever comes after it was late brings its record.
  world.nowMs += 1_000
  await kms.generateDataKey(call)
  expect(log.map(({ seq }) => seq).sort()).toEqual([0, 1, 2, 3, 4])
  expect((await verifyAuditLog(log, { slack: 5 })).ok).toBe(true)
})

it('a checkpoint covers only what is safe', async () => {
  const { privateKey: key, publicKey } = await keyPair()
  const checkpoints: AuditCheckpoint[] = []
  const write = (made: AuditCheckpoint) => Promise.resolve(void checkpoints.push(made))
  const { kms, trail, sink, log } = setup({ checkpoints: { key, write, every: 1_000 } })
  await kms.generateDataKey(call)
  sink.before = () => Promise.reject(new Error('down'))
  await kms.generateDataKey(call).catch(() => undefined)
  sink.before = () => undefined
  await kms.generateDataKey(call)
  expect((await trail.checkpoint())?.size).toBe(1)
  expect(await verifyAuditLog(log.slice(0, 1), { checkpoints, publicKey })).toMatchObject({
    ok: true,
  })
})

describe('a checkpoint that cannot be written', () => {
  async function failing(mode: 'open' | 'closed', fault: () => Promise<void>) {
    const { privateKey: key, publicKey } = await keyPair()
    const checkpoints: AuditCheckpoint[] = []
    const log = { fault, attempts: 0 }
    const write = async (made: AuditCheckpoint): Promise<void> => {
      log.attempts += 1
      await log.fault()
      checkpoints.push(made)
    }
    return {
      ...setup({ mode, checkpoints: { key, write, every: 5 } }),
      checkpoints,
      publicKey,
      state: log,
    }
  }
  const down = (): Promise<void> => Promise.reject(new Error('down'))

  it.each([
    ['fails', down],
    ['hangs', () => new Promise<void>(() => undefined)],
  ])('%s: fails nothing, is told, and is due again with the next record', async (_, fault) => {
    const { kms, world, log, checkpoints, publicKey, state } = await failing('closed', fault)
    for (let i = 0; i < 5; i++)
      expect((await world.settled(kms.generateDataKey(call))).status).toBe('fulfilled')
    expect(world.events).toMatchObject([{ type: 'checkpoint-loss', provider: 'scripted' }])
    state.fault = () => Promise.resolve()
    await kms.generateDataKey(call)
    expect(checkpoints.map(({ size }) => size)).toEqual([6])
    for (let i = 0; i < 5; i++) await kms.generateDataKey(call)
    expect(checkpoints.map(({ size }) => size)).toEqual([6, 11])
    expect(state.attempts).toBe(3)
    expect((await verifyAuditLog(log, { checkpoints, publicKey })).ok).toBe(true)
  })

  it('for twice as many records as were said: fail-closed fails, and goes on when it is written', async () => {
    const { kms, world, inner, log, state } = await failing('closed', down)
    const outcomes = []
    for (let i = 0; i < 12; i++) outcomes.push(await world.settled(kms.generateDataKey(call)))
    const failed = outcomes.flatMap((outcome, i) => (outcome.status === 'rejected' ? [i] : []))
    expect(failed).toEqual([9, 10, 11])
    expect(outcomes[9]).toMatchObject({
      reason: {
        code: 'ERR_STORE_UNAVAILABLE',
        message: expect.stringContaining('checkpoint') as string,
      },
    })
    expect(() => inner.made[9]?.length).toThrow(TypeError)
    expect(log).toHaveLength(12)
    expect(world.events.some(({ type }) => type === 'audit-loss')).toBe(false)
    state.fault = () => Promise.resolve()
    await kms.generateDataKey(call)
  })

  it('fail-open goes on', async () => {
    const { kms, world, log } = await failing('open', down)
    for (let i = 0; i < 20; i++) {
      await kms.generateDataKey(call)
      await turn()
    }
    expect(log).toHaveLength(20)
    expect(world.events.every(({ type }) => type === 'checkpoint-loss')).toBe(true)
  })

  it('rejects with a code where it was asked for', async () => {
    const { kms, trail, state } = await failing('closed', () => Promise.resolve())
    await kms.generateDataKey(call)
    state.fault = down
    await expect(trail.checkpoint()).rejects.toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
      cause: { message: 'down' },
    })
  })
})

it('the stack of highSecurity takes it', async () => {
  const { trail, world, log } = setup()
  const inner = new ScriptedKms()
  const kms = composeKms(inner, { preset: 'highSecurity', audit: trail, ...world.ports })
  inner.script = [fail('ERR_KMS_UNAVAILABLE')]
  await world.settled(kms.generateDataKey(call))
  expect(inner.calls).toHaveLength(2)
  expect(log).toHaveLength(1)
})

it.each<[string, object]>([
  ['no mode', { mode: undefined }],
  ['a mode that is none', { mode: 'maybe' }],
  ['no sink', { sink: {} }],
  ['a time that is none', { timeoutMs: 0 }],
  ['a misspelt option', { actors: 1 }],
  ['an actor that is no function', { actor: 'name' }],
  ['checkpoints that are null', { checkpoints: null }],
  ['a runtime that is none', { runtime: 5 }],
  ['a network that is none', { network: {} }],
  ['an observer that is none', { observer: 5 }],
  ['checkpoints without a key', { checkpoints: { write: () => Promise.resolve() } }],
])('refuses %s', (_, options) => {
  const given = { sink: setup().sink, mode: 'closed', ...options } as KmsAuditTrailOptions
  expect(() => new KmsAuditTrail(given)).toThrow(
    expect.objectContaining({ code: 'ERR_KMS_CONFIG' }),
  )
})

it('refuses a key that cannot sign', async () => {
  const { publicKey: key } = await keyPair()
  const checkpoints = { key, write: () => Promise.resolve() }
  expect(() => setup({ checkpoints })).toThrow(expect.objectContaining({ code: 'ERR_KMS_CONFIG' }))
})

it('refuses a key of another curve than verifyAuditLog takes', async () => {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-384' }
  const { privateKey: key } = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const checkpoints = { key, write: () => Promise.resolve() }
  expect(() => setup({ checkpoints })).toThrow(expect.objectContaining({ code: 'ERR_KMS_CONFIG' }))
})

it('R32 a sink cannot change what it gets: what comes again is as its hash says', async () => {
  const { kms, sink, log, world } = setup({ mode: 'open' })
  const changes: ((record: AuditRecord) => unknown)[] = [
    (record) => Object.assign(record, { note: 1 }),
    (record) => Object.assign(record.event, { env: 'prod' }),
    (record) => (record.event.keys as unknown[]).push({}),
    (record) => Object.assign(record.event.keys[0] ?? {}, { kekId: 'x' }),
  ]
  const thrown: unknown[] = []
  const write = sink.write.bind(sink)
  sink.write = (records) => {
    for (const change of [...changes, () => (records as unknown[]).pop()]) {
      try {
        change(records[0] as AuditRecord)
      } catch (error) {
        thrown.push(error)
      }
    }
    return write(records)
  }
  sink.before = () => Promise.reject(new Error('down'))
  await kms.generateDataKey(call)
  await world.advance(1_000)
  sink.before = () => undefined
  await kms.generateDataKey(call)
  await turn()
  expect(thrown).toHaveLength(10)
  expect(log.map(({ seq }) => seq)).toEqual([0, 1])
  expect(await verifyAuditLog(log)).toMatchObject({ ok: true })
})

it('an actor that is cut in the middle of a character is text all the same', async () => {
  const { kms, log } = setup({ actor: () => `x${'\u{1f600}'.repeat(200)}` })
  await kms.generateDataKey(call)
  expect(log[0]?.event.actor.isWellFormed()).toBe(true)
})
