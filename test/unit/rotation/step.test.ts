import { describe, expect, it } from 'vitest'
import { EncryptedEnvelope, EnvelopeCipher, KmsError } from '../../../src/index.ts'
import { createRotationStep } from '../../../src/rotation/rotation-step.ts'
import { CountingKms } from '../envelope/fixture.ts'
import {
  cipherAt,
  Clock,
  kmsAt,
  MemorySource,
  newState,
  runAll,
  StagedKms,
  turning,
  utf8,
} from './fixture.ts'

const context = { tenant: 'acme' }

async function table(
  rows: number,
  reuse = true,
  source = new MemorySource(),
): Promise<MemorySource> {
  const writer = cipherAt(1, reuse ? {} : { cache: false })
  for (let i = 0; i < rows; i += 1) {
    const envelope = await writer.encrypt(utf8(`row ${String(i)}`), { context })
    source.set(`r${String(i).padStart(4, '0')}`, { secret: envelope })
  }
  return source
}

const wrapsOf = (source: MemorySource) =>
  [...source.rows.keys()]
    .filter((id) => id.startsWith('r'))
    .map((id) => EncryptedEnvelope.parse(source.value(id) ?? '').wraps[0])

describe('createRotationStep', () => {
  it('puts every value under the current version and finishes after a sweep that finds nothing', async () => {
    const source = await table(25, false)
    const step = createRotationStep({ kms: kmsAt(2), sources: [source], pageSize: 10 })
    const { state, steps } = await runAll(step, newState(source))
    expect(state.phase).toBe('finished')
    expect(state.counts).toMatchObject({ records: 25, done: 25, current: 0, kmsCalls: 75 })
    expect(state.sources[0]).toMatchObject({ sweep: 2, done: true })
    expect(steps.reduce((sum, { read }) => sum + read, 0)).toBe(50)
    expect(wrapsOf(source).every((wrap) => wrap?.kekVersion === '2')).toBe(true)
    const reader = new EnvelopeCipher({ kms: kmsAt(2, 'app', 2) })
    const back = await reader.decrypt(source.value('r0007') as Uint8Array, { context })
    expect(new TextDecoder().decode(back)).toBe('row 7')
  })

  it('spends the calls of one row on a page of rows under one data key, and none on the next page', async () => {
    const source = await table(40)
    const kms = new CountingKms(kmsAt(2))
    const step = createRotationStep({ kms, sources: [source], pageSize: 10 })
    const { state } = await runAll(step, newState(source))
    expect(state.counts).toMatchObject({ done: 40, kmsCalls: 3 })
    expect(kms.calls.filter((call) => call !== 'version')).toEqual(['unwrap', 'wrap', 'unwrap'])
  })

  it('does nothing when a page is delivered again with an old state', async () => {
    const source = await table(5)
    const step = createRotationStep({ kms: kmsAt(2), sources: [source] })
    const old = newState(source)
    await step(old)
    const before = source.value('r0000')
    const again = await step(old)
    expect(again.counts).toMatchObject({ done: 0, current: 5 })
    expect(source.value('r0000')).toBe(before)
  })

  it('leaves a state that does not run as it is', async () => {
    const source = await table(2)
    const step = createRotationStep({ kms: kmsAt(2), sources: [source] })
    const paused = { ...newState(source), phase: 'paused' } as const
    expect((await step(paused)).state).toBe(paused)
    expect(source.calls).toEqual([])
  })

  it('refuses a state of other sources', async () => {
    const source = await table(1)
    const step = createRotationStep({ kms: kmsAt(2), sources: [source] })
    const other = newState(new MemorySource('other'))
    await expect(step(other)).rejects.toMatchObject({ code: 'ERR_KMS_CONFIG' })
    await expect(step({} as never)).rejects.toMatchObject({ code: 'ERR_KMS_CONFIG' })
  })

  it('keeps the text form of text, and of text in bytes', async () => {
    const source = new MemorySource()
    const text = await cipherAt(1).encryptText('hello', { context })
    source.set('a', { secret: text })
    source.set('b', { secret: utf8(text) })
    const step = createRotationStep({ kms: kmsAt(2), sources: [source] })
    await runAll(step, newState(source))
    const reader = new EnvelopeCipher({ kms: kmsAt(2, 'app', 2) })
    expect(await reader.decryptText(source.value('a') as string, { context })).toBe('hello')
    const bytes = source.value('b') as Uint8Array
    expect(bytes).toBeInstanceOf(Uint8Array)
    expect(await reader.decryptText(new TextDecoder().decode(bytes), { context })).toBe('hello')
  })

  it('sweeps again when the KEK is rotated while the job runs', async () => {
    const source = await table(20)
    let version = 2
    const kms = turning(() => kmsAt(version))
    const clock = new Clock()
    const step = createRotationStep({ kms, sources: [source], pageSize: 10, ...clock.ports })
    const first = await step(newState(source))
    version = 3
    clock.nowMs += 60_000
    const { state } = await runAll(step, first.state)
    expect(state.target).toEqual([{ provider: 'local', kekId: 'app', kekVersion: '3' }])
    expect(wrapsOf(source).every((wrap) => wrap?.kekVersion === '3')).toBe(true)
    expect(state.counts.done).toBe(30)
  })

  it('stays within its budget of records', async () => {
    const source = await table(30)
    const step = createRotationStep({ kms: kmsAt(2), sources: [source], pageSize: 10 })
    expect((await step(newState(source), { records: 4 })).read).toBe(4)
    expect((await step(newState(source), { records: 15 })).read).toBe(15)
    await expect(step(newState(source), { ms: 0 })).rejects.toMatchObject({
      code: 'ERR_KMS_CONFIG',
    })
    await expect(step(newState(source), { records: 0 })).rejects.toMatchObject({
      code: 'ERR_KMS_CONFIG',
    })
  })

  it('rejects with the reason of an aborted signal', async () => {
    const source = await table(1)
    const step = createRotationStep({ kms: kmsAt(2), sources: [source] })
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(step(newState(source), { signal })).rejects.toThrow('enough')
    const controller = new AbortController()
    source.before = () => {
      controller.abort(new Error('later'))
    }
    await expect(step(newState(source), { signal: controller.signal })).rejects.toThrow('later')
  })

  it('replaces nothing under verify: open if the KMS makes wraps of another data key', async () => {
    const source = await table(1)
    const before = source.value('r0000')
    const inner = kmsAt(2)
    const kms = new StagedKms(inner)
    kms.stage = async (operation, { context: k }) =>
      operation === 'wrapDataKey'
        ? (await inner.generateDataKey({ context: k ?? {} })).wraps
        : undefined
    const { state } = await runAll(createRotationStep({ kms, sources: [source] }), newState(source))
    expect(source.value('r0000')).toBe(before)
    expect(state.counts).toMatchObject({ done: 0, corrupt: 1 })
  })

  it('throws a mistake of the configuration instead of blaming the values', async () => {
    const source = await table(1)
    const kms = new StagedKms(kmsAt(2))
    kms.stage = (operation) => {
      if (operation === 'wrapDataKey') throw new KmsError('ERR_KMS_UNSUPPORTED')
    }
    const step = createRotationStep({ kms, sources: [source] })
    await expect(step(newState(source))).rejects.toMatchObject({ code: 'ERR_KMS_UNSUPPORTED' })
  })
})

it('begins no further page once its time is over', async () => {
  const source = await table(30)
  const clock = new Clock()
  source.before = (call) => {
    if (call === 'page') clock.nowMs += 400
  }
  const options = { kms: kmsAt(2), sources: [source], pageSize: 5, ...clock.ports }
  const step = createRotationStep(options)
  expect((await step(newState(source), { records: 1_000, ms: 1_000 })).read).toBe(15)
  expect((await step(newState(source), { records: 1_000, ms: 1 })).read).toBe(5)
})

it('sweeps again when the KEK is rotated behind values that were found current', async () => {
  const source = await table(4)
  for (let i = 0; i < 4; i += 1) source.set(`s${String(i)}`, { secret: 'plain' })
  let version = 2
  const clock = new Clock()
  const kms = turning(() => kmsAt(version))
  const step = createRotationStep({ kms, sources: [source], pageSize: 4, ...clock.ports })
  let state = newState(source)
  for (let pages = 0; pages < 3; pages += 1) ({ state } = await step(state, { records: 4 }))
  expect(state.sources[0]).toMatchObject({ sweep: 2, changed: false, cursor: 'r0003' })
  version = 3
  clock.nowMs += 60_000
  ;({ state } = await runAll(step, state))
  expect(state.phase).toBe('finished')
  expect(wrapsOf(source).every((wrap) => wrap?.kekVersion === '3')).toBe(true)
})
