// Values that an attacker wrote into a table, and callbacks of the caller that fail on them.
import { describe, expect, it } from 'vitest'
import {
  EnvelopeCipher,
  kmsByContext,
  type KeyManagementService,
  KmsError,
} from '../../../src/index.ts'
import {
  createRotationStep,
  KeyRotationManager,
  rotationReport,
  terminalProgress,
} from '../../../src/rotation/index.ts'
import { Pacer } from '../../../src/rotation/pacer.ts'
import type { RotationFailure } from '../../../src/rotation/rotation-state.ts'
import { runRotation } from '../../../src/rotation/run-rotation.ts'
import { cipherAt, Clock, kmsAt, MemorySource, newState, runAll, utf8 } from './fixture.ts'
import { context, encrypted, tableOf, versionsIn } from './tables.ts'

describe('envelopes that an attacker wrote, where the context picks the KEK', () => {
  it.each<[string, Partial<Parameters<typeof kmsByContext>[0]>]>([
    [
      'keyFor throws on its context',
      {
        keyFor: ({ tenant }) => {
          if (tenant === 'evil') throw new TypeError('no such tenant')
          return tenant
        },
      },
    ],
    [
      'keyFor answers something else',
      { keyFor: ({ tenant }) => (tenant === 'evil' ? (7 as never) : tenant) },
    ],
    [
      'create refuses its key name',
      {
        create: (name) => {
          if (name === 'evil') throw new KmsError('ERR_KMS_CONFIG', { message: 'keyId' })
          return kmsAt(2)
        },
      },
    ],
    [
      'the KMS of its key cannot do it',
      {
        create: (name): KeyManagementService => {
          if (name === 'evil') throw new KmsError('ERR_KMS_UNSUPPORTED')
          return kmsAt(2)
        },
      },
    ],
  ])('fail by themselves and do not stop the job: %s', async (_, options) => {
    const kms = kmsByContext({
      keyFor: ({ tenant }) => tenant,
      create: () => kmsAt(2),
      ...options,
    })
    const source = await tableOf(3)
    source.set('r0001a', {
      secret: await cipherAt(1).encrypt(utf8('x'), { context: { tenant: 'evil' } }),
    })
    const failures: RotationFailure[] = []
    const step = createRotationStep({
      kms,
      sources: [source],
      pageSize: 2,
      failures: (some) => void failures.push(...some),
      ...new Clock().ports,
    })
    const { state } = await runAll(step, newState(source))
    expect(state).toMatchObject({ phase: 'finished', counts: { done: 3, 'unknown-key': 1 } })
    expect(failures.map(({ id, class: name }) => [id, name])).toEqual([['r0001a', 'unknown-key']])
    source.rows.delete('r0001a')
    expect(versionsIn(source)).toEqual(['2'])
  })
})

describe('contextOf', () => {
  it.each([
    undefined,
    null,
    'acme',
    5,
    Promise.resolve(context),
    [],
    { tenant: undefined },
    new Map(),
  ])(
    'that answers %s fails the value with ERR_CONTEXT_INVALID, not as if it were corrupt',
    async (answer) => {
      const failures: string[] = []
      const source = await tableOf(1)
      const step = createRotationStep({
        kms: kmsAt(2),
        sources: [source],
        contextOf: () => answer as never,
        failures: (some) => void failures.push(...some.map(({ code }) => code)),
        ...new Clock().ports,
      })
      await runAll(step, newState(source))
      expect(failures).toEqual(['ERR_CONTEXT_INVALID'])
    },
  )
})

describe('contextOf that throws', () => {
  it.each([new TypeError('no tenant'), undefined, new KmsError('ERR_KMS_CONFIG')])(
    '%s fails its value, and the others are rewrapped',
    async (thrown) => {
      const failures: string[] = []
      const source = await tableOf(3)
      const [bad] = source.rows.keys()
      const step = createRotationStep({
        kms: kmsAt(2),
        sources: [source],
        threshold: { share: 1 },
        contextOf: ({ id }) => {
          if (id === bad) throw thrown
          return context
        },
        failures: (some) => void failures.push(...some.map(({ id, code }) => `${id} ${code}`)),
        ...new Clock().ports,
      })
      const { state } = await runAll(step, newState(source))
      expect(failures).toEqual([`${String(bad)} ERR_CONTEXT_INVALID`])
      expect(state.counts).toMatchObject({ done: 2, corrupt: 1 })
    },
  )
})

describe('isCurrentVersion', () => {
  it.each(['4111 1111', '', new Uint8Array(), utf8('plain')])(
    'refuses %j, which is not an envelope, and does not take it for one by reference',
    async (value) => {
      const manager = new KeyRotationManager({ kms: kmsAt(2), sources: [await tableOf(0)] })
      await expect(manager.isCurrentVersion(value)).rejects.toMatchObject({
        code: 'ERR_WIRE_MALFORMED',
      })
    },
  )
})

describe('a clock that jumps back', () => {
  it('does not stop the requests until it is there again', async () => {
    const clock = new Clock()
    const pacer = new Pacer(clock.runtime, clock.network)
    pacer.limit(10)
    await pacer.take(1, undefined)
    await pacer.take(1, undefined)
    clock.nowMs -= 600_000
    const from = clock.nowMs
    await pacer.take(1, undefined)
    await pacer.take(1, undefined)
    expect(clock.nowMs - from).toBeLessThanOrEqual(400)
  })
})

describe('terminalProgress', () => {
  it.each([undefined, null, {}, 5, { write: 'x' }])('refuses %j as a stream', (stream) => {
    expect(() => terminalProgress(stream as never)).toThrow('stream')
  })

  it.each([Number.NaN, 0, '80', undefined])('shows a line where columns is %s', async (columns) => {
    let shown = ''
    const write = (text: string) => (shown += text)
    const stream = { isTTY: true, write, columns: columns as number }
    const clock = new Clock().ports
    const manager = new KeyRotationManager({ kms: kmsAt(2), sources: [await tableOf(1)], ...clock })
    await runRotation(manager, { progress: terminalProgress(stream) })
    expect(shown).toContain('rotation finished  1 rewrapped')
  })

  it('does not end the run where the stream is closed', async () => {
    const source = await tableOf(3)
    const manager = new KeyRotationManager({
      kms: kmsAt(2),
      sources: [source],
      ...new Clock().ports,
    })
    const progress = terminalProgress({
      write: () => {
        throw new Error('EPIPE')
      },
    })
    const result = await runRotation(manager, { progress })
    expect(result).toMatchObject({ phase: 'finished', deksRotated: 3 })
  })
})

describe('options of a run and of a plan', () => {
  it.each([5, {}, new AbortController()])('refuses %j in place of a signal', async (signal) => {
    const source = await tableOf(0)
    const options = { kms: kmsAt(2), sources: [source] }
    const call = { signal: signal as never }
    const refused = { code: 'ERR_KMS_CONFIG' }
    const manager = new KeyRotationManager(options)
    await expect((async () => runRotation(manager, call))()).rejects.toMatchObject(refused)
    const step = createRotationStep(options)
    await expect(step(newState(source), call)).rejects.toMatchObject(refused)
  })

  it.each([0, -1, Number.NaN, '5'])(
    'refuses %s requests a second, and says what it takes',
    (rate) => {
      const options = { kms: kmsAt(2), sources: [new MemorySource()] }
      expect(() =>
        createRotationStep({ ...options, rate: { requestsPerSecond: rate as number } }),
      ).toThrow('rate.requestsPerSecond must be above 0')
    },
  )

  it.each([null, 5, 'plan', {}])('refuses the plan %j', async (plan) => {
    const manager = new KeyRotationManager({ kms: kmsAt(2), sources: [await tableOf(0)] })
    await expect(
      (async () => runRotation(manager, { plan: plan as never }))(),
    ).rejects.toMatchObject({
      code: 'ERR_KMS_CONFIG',
    })
  })

  it.each([
    { kmsMs: Number.NaN },
    { kmsMs: -1 },
    { swapMs: '5' },
    { swapMs: Infinity },
    { kmsMS: 1 },
  ])('refuses the times %j of a plan', async (times) => {
    const manager = new KeyRotationManager({ kms: kmsAt(2), sources: [await tableOf(0)] })
    await expect(manager.plan(times as never)).rejects.toMatchObject({ code: 'ERR_KMS_CONFIG' })
  })
})

describe('values in buffers of every kind', () => {
  it('are rewrapped: subarrays, Buffers, shared memory, and text as bytes', async () => {
    const good = await encrypted(1)
    const padded = new Uint8Array(good.length + 20)
    padded.set(good, 7)
    const shared = new Uint8Array(new SharedArrayBuffer(good.length))
    shared.set(good)
    const text = new EnvelopeCipher({ kms: kmsAt(1) })
    const secrets = {
      view: padded.subarray(7, 7 + good.length),
      buffer: Buffer.from(good),
      shared,
      text: await text.encryptText('x', { context }),
      bytes: utf8(await text.encryptText('x', { context })),
    }
    const source = new MemorySource()
    for (const [id, secret] of Object.entries(secrets)) source.set(id, { secret })
    const step = createRotationStep({ kms: kmsAt(2), sources: [source], ...new Clock().ports })
    const { state } = await runAll(step, newState(source))
    expect(state.counts).toMatchObject({ done: 5, current: 0 })
    const reader = cipherAt(2)
    for (const id of ['view', 'buffer', 'shared'])
      expect(await reader.decrypt(source.value(id) as Uint8Array, { context })).toEqual(utf8('x'))
    expect(await reader.decryptText(source.value('text') as string, { context })).toBe('x')
  })
})

describe('a report of a result that was stored and edited', () => {
  it('shows no control character of any text, in the text as in the page', async () => {
    const manager = new KeyRotationManager({
      kms: kmsAt(2),
      sources: [await tableOf(2)],
      ...new Clock().ports,
    })
    const result = await runRotation(manager)
    const evil = '\u001b[2J\u202e'
    const sample = {
      source: evil,
      id: evil,
      field: evil,
      class: evil,
      code: evil,
      atMs: 1,
    } as never
    const edited = {
      ...result,
      job: evil,
      samples: [sample],
      counts: { ...result.counts, denied: 1 },
    }
    for (const title of [undefined, evil]) {
      const report = rotationReport({ result: edited, ...(title && { title }) })
      for (const shown of [report.text, report.html]) {
        expect(shown).toContain('u{1b}')
        expect(/[\p{Cc}\p{Cf}]/u.test(shown.replaceAll('\n', ''))).toBe(false)
      }
    }
  })
})
