import { describe, expect, it } from 'vitest'
import {
  EncryptedEnvelope,
  type EncryptionContext,
  KmsError,
  type KmsErrorCode,
  MultiKms,
} from '../../../src/index.ts'
import { createRotationStep } from '../../../src/rotation/rotation-step.ts'
import type { RotationFailure } from '../../../src/rotation/rotation-state.ts'
import { changed, flipped } from '../envelope/fixture.ts'
import {
  cipherAt,
  Clock,
  kmsAt,
  MemorySource,
  newState,
  runAll,
  StagedKms,
  utf8,
} from './fixture.ts'

const context = { tenant: 'acme' }
const encrypt = (version: number, text = 'x') =>
  cipherAt(version, { cache: false }).encrypt(utf8(text), { context })

describe('classes of values', () => {
  it('counts each value in one class and leaves what it cannot rewrap as it was', async () => {
    const source = new MemorySource()
    const good = await encrypt(1)
    const rows = {
      stale: good,
      current: await encrypt(2),
      none: null,
      empty: new Uint8Array(),
      plain: utf8('4111 1111'),
      'plain-text': 'hello',
      'like-magic': utf8('eko'),
      cut: good.subarray(0, 60),
      future: changed(good, 2, 2),
      'other-kek': await cipherAt(1, { kms: kmsAt(1, 'other') }).encrypt(utf8('x'), { context }),
      broken: flipped(good, 60),
      text: 'ek1.!',
    }
    for (const [id, secret] of Object.entries(rows)) source.set(id, { secret })
    const told: RotationFailure[] = []
    const step = createRotationStep({
      kms: kmsAt(2),
      sources: [source],
      failures: (failures) => void told.push(...failures),
    })
    const { state } = await runAll(step, newState(source))
    expect(state.phase).toBe('finished')
    expect(state.counts).toMatchObject({
      records: 12,
      done: 1,
      current: 1,
      empty: 2,
      foreign: 3,
      'unknown-key': 1,
      corrupt: 4,
      denied: 0,
    })
    const failed = told.map(({ id, class: name, code }) => `${id} ${name} ${code}`)
    expect(failed.sort()).toEqual([
      'broken corrupt ERR_DECRYPT_FAILED',
      'cut corrupt ERR_WIRE_MALFORMED',
      'future corrupt ERR_WIRE_VERSION_REFUSED',
      'other-kek unknown-key ERR_ENVELOPE_UNKNOWN_KEY',
      'text corrupt ERR_WIRE_MALFORMED',
    ])
    for (const [id, value] of Object.entries(rows))
      if (id !== 'stale') expect(source.value(id), id).toBe(value)
  })

  it('counts a message by reference apart, and rewraps its data-key record', async () => {
    const envelope = EncryptedEnvelope.parse(await encrypt(1))
    const source = new MemorySource()
    source.set('message', { secret: envelope.toReference() })
    source.set('record', { secret: envelope.toDataKeyRecord() })
    const step = createRotationStep({ kms: kmsAt(2), sources: [source] })
    const { state } = await runAll(step, newState(source))
    expect(state.counts).toMatchObject({ reference: 1, done: 1 })
    const inline = EncryptedEnvelope.parse(source.value('message') as Uint8Array).toInline(
      source.value('record') as Uint8Array,
    )
    expect(EncryptedEnvelope.parse(inline).wraps[0]?.kekVersion).toBe('2')
    const reader = cipherAt(2)
    expect(new TextDecoder().decode(await reader.decrypt(inline, { context }))).toBe('x')
  })

  it('rewraps every encrypted field of a record in one pass', async () => {
    const source = new MemorySource()
    source.set('a', { card: await encrypt(1), note: await encrypt(1), name: 'Ada' })
    const step = createRotationStep({ kms: kmsAt(2), sources: [source] })
    const { state } = await runAll(step, newState(source))
    expect(state.counts).toMatchObject({ records: 1, done: 2, foreign: 1 })
    expect(source.calls).toEqual(['page', 'swap', 'page'])
  })

  it.each<[KmsErrorCode, string]>([
    ['ERR_KMS_ACCESS_DENIED', 'denied'],
    ['ERR_KMS_KEY_DISABLED', 'denied'],
    ['ERR_KMS_KEY_NOT_FOUND', 'unknown-key'],
    ['ERR_DECRYPT_FAILED', 'corrupt'],
  ])('calls a value whose KMS says %s %s', async (code, name) => {
    const source = new MemorySource()
    source.set('a', { secret: await encrypt(1) })
    const kms = new StagedKms(kmsAt(2))
    kms.stage = (operation) => {
      if (operation === 'unwrapDataKey') throw new KmsError(code)
    }
    const { state } = await runAll(createRotationStep({ kms, sources: [source] }), newState(source))
    expect(state.counts).toMatchObject({ [name]: 1, done: 0 })
    expect(state.samples).toMatchObject([{ source: 'users', id: 'a', field: 'secret', code }])
  })

  it('takes a wrap under a KEK that is no longer configured for stale, and drops it', async () => {
    const both = new MultiKms({ write: [kmsAt(1), kmsAt(1, 'old')], read: [] })
    const source = new MemorySource()
    const writer = cipherAt(1, { kms: both })
    source.set('a', { secret: await writer.encrypt(utf8('x'), { context }) })
    const step = createRotationStep({ kms: kmsAt(1), sources: [source] })
    const { state } = await runAll(step, newState(source))
    expect(state.counts.done).toBe(1)
    const wraps = EncryptedEnvelope.parse(source.value('a') as Uint8Array).wraps
    expect(wraps.map(({ kekId }) => kekId)).toEqual(['app'])
  })

  it('adds the wrap that a write under a quorum left out', async () => {
    const source = new MemorySource()
    source.set('a', { secret: await encrypt(1) })
    const both = [kmsAt(1), kmsAt(1, 'second')]
    const kms = new MultiKms({ write: both, read: both })
    const { state } = await runAll(createRotationStep({ kms, sources: [source] }), newState(source))
    expect(state.counts).toMatchObject({ done: 1, kmsCalls: 5 })
    expect(EncryptedEnvelope.parse(source.value('a') as Uint8Array).wraps).toHaveLength(2)
  })

  it('asks contextOf where envelopes do not carry the context', async () => {
    const source = new MemorySource()
    const writer = cipherAt(1, { requiredContextKeys: ['tenant'] })
    source.set('acme', { secret: await writer.encrypt(utf8('x'), { context }) })
    const given: string[] = []
    const contextOf = ({ id }: { id: string }, field: string, name: string): EncryptionContext => {
      given.push(`${name} ${id} ${field}`)
      return { tenant: id }
    }
    const without = createRotationStep({ kms: kmsAt(2), sources: [source] })
    expect((await without(newState(source))).counts).toMatchObject({ corrupt: 1, done: 0 })
    const step = createRotationStep({ kms: kmsAt(2), sources: [source], contextOf })
    expect((await runAll(step, newState(source))).state.counts.done).toBe(1)
    expect(given).toContain('users acme secret')
  })

  it('does not try a value again that failed in an earlier sweep, until its bytes change', async () => {
    const source = new MemorySource()
    const bad = flipped(await encrypt(1), 60)
    source.set('bad', { secret: bad })
    source.set('good', { secret: await encrypt(1) })
    const kms = new StagedKms(kmsAt(2))
    const { ports } = new Clock()
    const step = createRotationStep({ kms, sources: [source], ...ports })
    const first = await step(newState(source), { records: 2 })
    expect(first.state).toMatchObject({ phase: 'running', counts: { corrupt: 1, done: 1 } })
    expect(first.state.quarantine).toHaveLength(1)
    kms.calls.length = 0
    const second = await step(first.state)
    expect(second).toMatchObject({ state: { phase: 'finished' }, failures: [] })
    expect(second.state.counts.corrupt).toBe(1)
    expect(kms.calls.filter((call) => call !== 'currentVersion')).toEqual([])
    source.set('bad', { secret: await encrypt(1) })
    const repaired = await step(first.state)
    expect(repaired.counts.done).toBe(1)
  })
})
