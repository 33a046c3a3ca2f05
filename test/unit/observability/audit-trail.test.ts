import { describe, expect, it } from 'vitest'
import { composeKms, type KeyManagementService } from '../../../src/index.ts'
import {
  type AuditRecord,
  KmsAuditTrail,
  type KmsAuditTrailOptions,
  verifyAuditLog,
} from '../../../src/observability/index.ts'
import { createLocalKms } from '../../../src/providers/local/index.ts'
import { kmsContract } from '../../../src/testing/index.ts'
import { runContract } from '../../support/contract.ts'
import { fail, ScriptedKms } from '../../support/scripted-kms.ts'
import { call, checkpointing, DATA_KEY, keyPair, macKey, setup } from './audit-fixture.ts'

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
    expect((await verifyAuditLog(log, { macKey })).problems).toEqual([])
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
    expect(await kms.unwrapMany([], {})).toEqual([])
    expect(log).toHaveLength(3)
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

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('no session')
      },
    ],
    ['is async and rejects', () => Promise.reject(new Error('no session'))],
    ['names nobody', () => undefined],
    ['returns null', () => null],
  ])('an actor that %s is nobody, and ends no process', async (_, actor) => {
    const rejections: unknown[] = []
    const listen = (reason: unknown): void => void rejections.push(reason)
    process.on('unhandledRejection', listen)
    const { kms, log } = setup({ actor: actor as () => string })
    await kms.generateDataKey(call)
    await new Promise((resolve) => setTimeout(resolve, 5))
    process.off('unhandledRejection', listen)
    expect(log[0]?.event.actor).toBe('')
    expect(rejections).toEqual([])
  })

  it('an actor that is cut in the middle of a character is text all the same', async () => {
    const { kms, log } = setup({ actor: () => `x${'\u{1f600}'.repeat(200)}` })
    await kms.generateDataKey(call)
    expect(log[0]?.event.actor.isWellFormed()).toBe(true)
  })

  it('an abort is recorded as one only if the caller aborted', async () => {
    const { kms, inner, log, world } = setup()
    const control = new AbortController()
    inner.always = () => {
      throw new DOMException('gone', 'AbortError')
    }
    const outage = { code: 'ERR_KMS_UNAVAILABLE' }
    await expect(kms.generateDataKey(call)).rejects.toMatchObject(outage)
    inner.always = () => {
      control.abort()
      control.signal.throwIfAborted()
    }
    await kms.generateDataKey({ ...call, signal: control.signal }).catch(() => undefined)
    // Nobody waits for the record of a caller that is gone.
    await world.advance(1)
    expect(log.map(({ event }) => event.errorType)).toEqual(['ERR_KMS_UNAVAILABLE', 'aborted'])
  })
})

describe('a service that answers something else than its interface promises', () => {
  const bad: readonly [keyof KeyManagementService, unknown][] = [
    ['generateDataKey', undefined],
    ['generateDataKey', { plaintext: null, wraps: [] }],
    ['wrapDataKey', [null]],
    ['unwrapDataKey', {}],
    ['unwrapDataKey', { plaintext: { expose: () => 5 }, by: {} }],
    ['rewrapDataKey', 'x'],
    ['currentVersion', [{ provider: 5 }]],
    ['rotateKey', null],
    ['healthCheck', undefined],
  ]
  it.each(bad)('%s: %j is refused with a code, and recorded', async (operation, answer) => {
    const inner = new ScriptedKms()
    const { log, trail } = setup()
    const broken = Object.assign(inner, { [operation]: () => Promise.resolve(answer) })
    const kms = trail.around(broken) as unknown as Record<string, (...args: unknown[]) => unknown>
    const args = ['wrapDataKey', 'unwrapDataKey', 'rewrapDataKey'].includes(operation)
      ? [[], call]
      : [call]
    await expect(kms[operation]?.(...args)).rejects.toMatchObject({
      code: 'ERR_KMS_RESPONSE_INVALID',
      operation,
    })
    expect(log.map(({ event }) => event.errorType)).toEqual(['ERR_KMS_RESPONSE_INVALID'])
  })

  it('a batch of another length: each item has its outcome and its record, the rest is wiped', async () => {
    const { kms, inner, log } = setup()
    const { wraps } = await inner.generateDataKey(call)
    const item = { wraps, context: call.context }
    inner.unwrapMany = async (items) => {
      ;(items as unknown[]).length = 0
      const opened = async () => ({
        ok: true as const,
        value: await inner.unwrapDataKey(wraps, call),
      })
      return [await opened(), null as never, { ok: false, error: 5 as never }, await opened()]
    }
    const items = [item, item, item]
    const outcomes = await kms.unwrapMany(items, {})
    expect(items).toHaveLength(3)
    expect(outcomes.map((one) => (one.ok ? '' : one.error.code))).toEqual([
      '',
      'ERR_KMS_RESPONSE_INVALID',
      'ERR_KMS_RESPONSE_INVALID',
    ])
    expect(log.map(({ event }) => event.outcome)).toEqual(['success', 'failure', 'failure'])
    expect(() => inner.made.at(-1)?.length).toThrow(TypeError)
  })

  it('no list at all, and arguments that are none, cost no record', async () => {
    const { kms, inner, log } = setup()
    inner.unwrapMany = () => Promise.resolve(undefined as never)
    const [outcome] = await kms.unwrapMany([{ wraps: null as never, context: {} }], {})
    expect(outcome).toMatchObject({ ok: false, error: { code: 'ERR_KMS_RESPONSE_INVALID' } })
    await expect(kms.unwrapDataKey(null as never, call)).rejects.toThrow()
    expect(log).toHaveLength(2)
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

it('without a chain records have a writer and a place, and no hash', async () => {
  const { kms, log } = setup({ chain: undefined })
  for (let i = 0; i < 3; i++) await kms.generateDataKey(call)
  expect(log.map(({ seq, link }) => [seq, link])).toEqual([
    [0, undefined],
    [1, undefined],
    [2, undefined],
  ])
  const verdict = await verifyAuditLog(log)
  expect(verdict).toMatchObject({ ok: false, problems: [], uncovered: [{ from: 0, to: 2 }] })
  expect((await verifyAuditLog(log.slice(1))).problems).toMatchObject([{ kind: 'dropped', seq: 0 }])
})

describe('refuses', () => {
  it.each<[string, object, RegExp]>([
    ['no mode', { mode: undefined }, /mode must be open or closed/],
    ['another mode', { mode: 'maybe' }, /mode must be/],
    ['no sink', { sink: {} }, /sink must be an object with write\(\)/],
    ['a sink of null', { sink: null }, /sink/],
    ['no time', { timeoutMs: 0 }, /timeoutMs must be an integer from 1 to 60000, got 0/],
    ['a queue for nothing', { maxQueueBytes: 1 }, /maxQueueBytes/],
    ['a misspelt option', { actors: 1 }, /unknown option: actors/],
    ['an actor that is a name', { actor: 'name' }, /actor must be a function, got a string/],
    ['a runtime that is a number', { runtime: 5 }, /runtime/],
    ['a network without timers', { network: {} }, /network/],
    ['an observer that is a number', { observer: 5 }, /observer/],
    ['a chain of null', { chain: null }, /chain must be an object/],
    ['a chain of hashes alone', { chain: {} }, /chain requires macKey, checkpoints, or both/],
    ['a misspelt option of the chain', { chain: { mackey: macKey } }, /unknown option: mackey/],
    [
      'a short MAC key',
      { chain: { macKey: new Uint8Array(16) } },
      /chain\.macKey must be 32 bytes/,
    ],
    ['a MAC key that is hex', { chain: { macKey: 'ab'.repeat(32) } }, /chain\.macKey/],
    [
      'checkpoints of null',
      { chain: { checkpoints: null } },
      /chain\.checkpoints must be an object/,
    ],
    [
      'checkpoints without a key',
      { chain: { checkpoints: { write: () => Promise.resolve() } } },
      /chain\.checkpoints\.key must be a private ECDSA P-256 key/,
    ],
  ])('%s', (_, options, message) => {
    const given = { sink: setup().sink, mode: 'closed', ...options } as KmsAuditTrailOptions
    const made = (): unknown => new KmsAuditTrail(given)
    expect(made).toThrow(expect.objectContaining({ code: 'ERR_KMS_CONFIG' }))
    expect(made).toThrow(message)
  })

  it('no options, and a service that is none', () => {
    const code = expect.objectContaining({ code: 'ERR_KMS_CONFIG' })
    expect(() => new KmsAuditTrail(null as never)).toThrow(code)
    expect(() => setup().trail.around(null as never)).toThrow(code)
    expect(() => setup().trail.around({} as never)).toThrow(code)
  })

  it('keys that cannot do it: one that only verifies, another curve, another hash', async () => {
    const { publicKey } = await keyPair()
    const p384 = { name: 'ECDSA', namedCurve: 'P-384' }
    const { privateKey: other } = await crypto.subtle.generateKey(p384, true, ['sign', 'verify'])
    const sha512 = { name: 'HMAC', hash: 'SHA-512' }
    const hmac = await crypto.subtle.importKey('raw', macKey.slice(), sha512, false, ['sign'])
    const code = expect.objectContaining({ code: 'ERR_KMS_CONFIG' })
    const { options } = await checkpointing()
    for (const key of [publicKey, other, hmac])
      expect(() => setup({ chain: { checkpoints: { ...options, key } } })).toThrow(code)
    for (const key of [publicKey, hmac])
      expect(() => setup({ chain: { macKey: key } })).toThrow(code)
    for (const change of [{ every: 0 }, { everyMs: 0 }, { write: 5 }, { evry: 1 }])
      expect(() => setup({ chain: { checkpoints: { ...options, ...change } as never } })).toThrow(
        code,
      )
  })
})

it('a MAC key may be bytes, base64 or a CryptoKey', async () => {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const imported = await crypto.subtle.importKey('raw', macKey.slice(), algorithm, false, ['sign'])
  const forms = [macKey, Buffer.from(macKey).toString('base64'), imported]
  for (const form of forms) {
    const { kms, log } = setup({ chain: { macKey: form } })
    await kms.generateDataKey(call)
    for (const other of forms)
      expect((await verifyAuditLog(log, { macKey: other })).problems).toEqual([])
  }
})

it('R32 a sink cannot change what it gets: what comes again is as its hash says', async () => {
  const { kms, sink, log, world } = setup({ mode: 'open' })
  const changes: ((record: AuditRecord) => unknown)[] = [
    (record) => Object.assign(record, { note: 1 }),
    (record) => Object.assign(record.link ?? {}, { hash: 'x' }),
    (record) => Object.assign(record.event, { env: 'prod' }),
    (record) => (record.event.keys as unknown[]).push({}),
    (record) => Object.assign(record.event.keys[0] ?? {}, { kekId: 'x' }),
  ]
  let thrown = 0
  const write = sink.write.bind(sink)
  sink.write = (records) => {
    for (const change of [...changes, () => (records as unknown[]).pop()]) {
      try {
        change(records[0] as AuditRecord)
      } catch {
        thrown += 1
      }
    }
    return write(records)
  }
  let isDown = true
  sink.before = () => (isDown ? Promise.reject(new Error('down')) : undefined)
  await kms.generateDataKey(call)
  await world.advance(10)
  isDown = false
  await world.advance(1_000)
  await kms.generateDataKey(call)
  await world.advance(10)
  expect(thrown).toBe(18)
  expect(log.map(({ seq }) => seq)).toEqual([0, 1])
  expect((await verifyAuditLog(log, { macKey })).problems).toEqual([])
})
