// Each value of each preset, twice: as the guide prints it, and as the stack behaves.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  CachedKms,
  composeKms,
  type ComposeKmsOptions,
  type KeyManagementService,
  type PresetName,
  PRESETS,
} from '../../../src/index.ts'
import { FakeWorld, turn } from '../../support/fake-world.ts'
import { fail, hang, ScriptedKms, type Step } from '../../support/scripted-kms.ts'

const call = { context: { 'edge-kms:dk': 'salt.1' } }
const down = fail('ERR_KMS_UNAVAILABLE')
const throttled = fail('ERR_KMS_THROTTLED')
const audit = { mode: 'closed', around: (kms: KeyManagementService) => kms } as const

interface Stack {
  readonly world: FakeWorld
  readonly members: readonly [ScriptedKms, ScriptedKms, ScriptedKms]
  readonly kms: KeyManagementService
}

function build(preset: PresetName, count: number, options: ComposeKmsOptions = {}): Stack {
  const world = new FakeWorld()
  const members = ['a', 'b', 'c'].map((name) => new ScriptedKms(name))
  const kms = composeKms(members.slice(0, count), { preset, audit, ...options, ...world.ports })
  return { world, members: members as never, kms }
}

const slow =
  (world: FakeWorld, ms: number): Step =>
  () =>
    new Promise((resolve) => {
      world.after(ms, () => {
        resolve()
      })
    })

async function took({ world, kms }: Stack, options: object = call): Promise<number> {
  const started = world.now()
  await world.settled(kms.generateDataKey(options as never))
  return world.now() - started
}

async function failing(stack: Stack, times: number): Promise<number> {
  for (let i = 0; i < times; i++) await stack.world.settled(stack.kms.generateDataKey(call))
  return stack.members[0].calls.length
}

async function delays(
  preset: PresetName,
  step: Step,
  options: ComposeKmsOptions,
): Promise<number[]> {
  const stack = build(preset, 1, { deadlineMs: 900_000, ...options })
  stack.world.random = 0.5
  stack.members[0].always = step
  await failing(stack, 1)
  return stack.world.events.flatMap((event) => (event.type === 'retry' ? [event.delayMs * 2] : []))
}

const noRetry = { retry: false } as const
const noBreaker = { circuitBreaker: false } as const

/** How to see each value from outside. `off` where the preset has none. */
const measures: Record<string, (preset: PresetName) => Promise<unknown>> = {
  async deadlineMs(preset) {
    const stack = build(preset, 3)
    const { wraps } = await stack.kms.generateDataKey(call)
    for (const member of stack.members) member.always = hang
    const started = stack.world.now()
    await stack.world.settled(stack.kms.unwrapDataKey(wraps, call))
    return stack.world.now() - started
  },
  async attemptTimeoutMs(preset) {
    const stack = build(preset, 1, noRetry)
    stack.members[0].always = hang
    return took(stack)
  },
  async 'retry.maxAttempts'(preset) {
    const stack = build(preset, 1)
    stack.members[0].always = throttled
    const attempts = await failing(stack, 1)
    return attempts === 1 ? 'off' : attempts
  },
  'retry.baseDelayMs': async (preset) => (await delays(preset, down, {}))[0] ?? 'off',
  'retry.throttleDelayMs': async (preset) => (await delays(preset, throttled, {}))[0] ?? 'off',
  async 'retry.maxDelayMs'(preset) {
    if ((await delays(preset, throttled, {})).length === 0) return 'off'
    return (await delays(preset, throttled, { retry: { maxAttempts: 10 } })).at(-1)
  },
  async 'retry.budget'(preset) {
    const stack = build(preset, 1, noBreaker)
    stack.members[0].always = throttled
    const retries = (await failing(stack, 300)) - 300
    return retries === 0 ? 'off' : retries * 5
  },
  async 'retry.retryCost'(preset) {
    const stack = build(preset, 1, noBreaker)
    stack.members[0].always = down
    const retries = (await failing(stack, 300)) - 300
    return retries === 0 ? 'off' : Math.floor(500 / retries)
  },
  async 'retry.throttleCost'(preset) {
    const stack = build(preset, 1, noBreaker)
    stack.members[0].always = throttled
    const retries = (await failing(stack, 300)) - 300
    return retries === 0 ? 'off' : 500 / retries
  },
  async 'circuitBreaker.failureThreshold'(preset) {
    const stack = build(preset, 1, noRetry)
    stack.members[0].always = down
    const calls = await failing(stack, 100)
    return calls === 100 ? 'off' : calls
  },
  async 'circuitBreaker.failureRate'(preset) {
    // Of 100 calls in the window, the share of failures at which it opens.
    for (let failures = 1; failures <= 100; failures++) {
      const stack = build(preset, 1, noRetry)
      const isFailure = (i: number): boolean =>
        Math.floor(((i + 1) * failures) / 100) > Math.floor((i * failures) / 100)
      stack.members[0].script = Array.from({ length: 100 }, (_, i) =>
        isFailure(i) ? down : () => undefined,
      )
      if ((await failing(stack, 100)) < 100 || (await refuses(stack))) return failures / 100
      if (failures > 60) return 'off'
    }
    return 'off'
  },
  async 'circuitBreaker.windowMs'(preset) {
    // Nine calls, half of them bad; a bad one later, as long as the first still count.
    for (const second of [29, 30]) {
      const stack = build(preset, 1, noRetry)
      stack.world.nowMs = 1_767_225_600_000
      stack.members[0].script = [
        down,
        down,
        down,
        down,
        () => undefined,
        down,
        () => undefined,
        down,
        () => undefined,
      ]
      await failing(stack, 9)
      stack.world.nowMs += second * 1_000
      stack.members[0].script = [down]
      await failing(stack, 1)
      if (!(await refuses(stack))) return second === 30 ? 30_000 : 'off'
    }
    return 'longer'
  },
  async 'circuitBreaker.minCalls'(preset) {
    // Two failures, one success: never enough in a row, always enough of a share.
    const stack = build(preset, 1, noRetry)
    stack.members[0].script = Array.from({ length: 60 }, (_, i) =>
      i % 3 === 2 ? () => undefined : down,
    )
    const calls = await failing(stack, 60)
    return calls === 60 ? 'off' : calls
  },
  async 'circuitBreaker.resetTimeoutMs'(preset) {
    const stack = build(preset, 1, noRetry)
    stack.members[0].always = down
    if ((await failing(stack, 100)) === 100) return 'off'
    for (let ms = 0; ; ms += 1_000) {
      const before = stack.members[0].calls.length
      if ((await failing(stack, 1)) > before) return ms
      stack.world.nowMs += 1_000
    }
  },
  async 'circuitBreaker.successThreshold'(preset) {
    const stack = build(preset, 1, noRetry)
    stack.members[0].always = down
    if ((await failing(stack, 100)) === 100) return 'off'
    stack.world.nowMs += 40_000
    stack.members[0].calls.length = 0
    stack.members[0].always = hang
    const probes = Array.from({ length: 20 }, () => stack.kms.generateDataKey(call))
    for (const probe of probes) probe.catch(() => undefined)
    await turn()
    return stack.members[0].calls.length
  },
  async 'bulkhead.maxConcurrent'(preset) {
    const stack = build(preset, 1)
    await fill(stack)
    return stack.members[0].calls.length
  },
  async 'bulkhead.maxQueue'(preset) {
    const stack = build(preset, 1, noRetry)
    const refused = await fill(stack)
    return 1_000 - refused() - stack.members[0].calls.length
  },
  async 'bulkhead.maxWaitMs'(preset) {
    const stack = build(preset, 1, {
      ...noRetry,
      attemptTimeoutMs: 9_000,
      deadlineMs: 9_000,
      bulkhead: { maxConcurrent: 1 },
    })
    stack.members[0].always = slow(stack.world, 9_000)
    stack.kms.generateDataKey(call).catch(() => undefined)
    await turn()
    return took(stack)
  },
  async order(preset) {
    const stack = build(preset, 2, { hedge: false })
    const { wraps } = await stack.kms.generateDataKey(call)
    stack.members[0].always = slow(stack.world, 100)
    stack.members[1].calls.length = 0
    for (let i = 0; i < 5; i++) await stack.world.settled(stack.kms.unwrapDataKey(wraps, call))
    return stack.members[1].calls.length > 0 ? 'fastest' : 'configured'
  },
  async 'hedge.afterMs'(preset) {
    const stack = build(preset, 2)
    const { wraps } = await stack.kms.generateDataKey(call)
    stack.members[0].always = slow(stack.world, 1_500)
    const started = stack.world.now()
    await stack.world.settled(stack.kms.unwrapDataKey(wraps, call))
    const ms = stack.world.now() - started
    return ms === 1_500 ? 'off' : ms
  },
  async 'hedge.budget'(preset) {
    const stack = build(preset, 2, { order: 'configured' })
    const { wraps } = await stack.kms.generateDataKey(call)
    stack.members[0].always = slow(stack.world, 1_500)
    for (let i = 0; i < 100; i++) await stack.world.settled(stack.kms.unwrapDataKey(wraps, call))
    const hedges = stack.world.events.filter(({ type }) => type === 'failover').length
    return hedges === 0 ? 'off' : Math.floor(hedges / 10) / 10
  },
  async requireAudit(preset) {
    try {
      composeKms(new ScriptedKms(), { preset })
      return await Promise.resolve(false)
    } catch {
      return true
    }
  },
  async cacheTtlMs(preset) {
    const { world, members, keys } = cached(preset)
    const made = await keys.active({}, { durable: false })
    for (let ms = 0; ; ms += 1_000) {
      const calls = members[0].calls.length
      await keys.open(made.header, {}, {})
      if (members[0].calls.length > calls) return ms
      world.nowMs += 1_000
    }
  },
  async cacheMaxStaleMs(preset) {
    const { world, members, keys } = cached(preset)
    const made = await keys.active({}, { durable: false })
    const endMs = world.nowMs + PRESETS[preset].cacheTtlMs
    members[0].always = down
    const uses = [
      async () => keys.open(made.header, {}, {}),
      async () => keys.active({}, { durable: false }),
    ]
    for (let ms = 0; ; ms += 1_000) {
      const outcomes: string[] = []
      for (const use of uses) {
        world.nowMs = endMs + ms
        outcomes.push((await world.settled(use())).status)
      }
      expect(outcomes[0]).toBe(outcomes[1])
      if (outcomes[0] === 'rejected') return ms
    }
  },
  async encryptForMs(preset) {
    const { world, keys } = cached(preset, { ttlMs: 3_600_000 })
    const made = await keys.active({}, { durable: false })
    for (let ms = 0; ; ms += 10_000) {
      if ((await keys.active({}, { durable: false })) !== made) return ms
      world.nowMs += 10_000
    }
  },
  async maxMessages(preset) {
    const { keys } = cached(preset)
    const made = await keys.active({}, { durable: false })
    for (let messages = 1; messages < 10_000; messages++) {
      const next = keys.active({}, { durable: false })
      if (next instanceof Promise || next !== made) return messages
    }
    return 'none'
  },
}

/** The cache that a preset asks for, over its stack. */
function cached(preset: PresetName, over: { ttlMs?: number } = {}) {
  const stack = build(preset, 1)
  const { cacheTtlMs: ttlMs, cacheMaxStaleMs: maxStaleMs } = PRESETS[preset]
  const { encryptForMs, maxMessages } = PRESETS[preset]
  // Without renewal ahead of the end: how long a key is used at most is what is measured.
  const stale = { maxStaleMs, maxStaleWriteMs: maxStaleMs }
  const limits = { ttlMs, ...stale, encryptForMs, maxMessages, refreshAheadMs: 0, ...over }
  return { ...stack, keys: new CachedKms({ kms: stack.kms, ...limits, runtime: stack.world }) }
}

async function refuses(stack: Stack): Promise<boolean> {
  const before = stack.members[0].calls.length
  return (await failing(stack, 1)) === before
}

/** A thousand calls that hang; gives how many were refused at once. */
async function fill(stack: Stack): Promise<() => number> {
  let refused = 0
  stack.members[0].always = hang
  for (let i = 0; i < 1_000; i++) stack.kms.generateDataKey(call).catch(() => refused++)
  await turn()
  return () => refused
}

const names = Object.keys(PRESETS) as PresetName[]
const guide = readFileSync(new URL('../../../docs/guides/resilience.md', import.meta.url), 'utf8')
const rows = [...guide.matchAll(/^\| `([\w.]+)` \|(.*)\|$/gm)].map(
  ([, name = '', cells = '']) => [name, cells.split('|').map((cell) => cell.trim())] as const,
)

function valueOf(preset: PresetName, path: string): unknown {
  let value: unknown = PRESETS[preset]
  for (const name of path.split('.')) {
    if (value === false) return 'off'
    value = (value as Record<string, unknown>)[name]
  }
  return value ?? 'none'
}

it('the guide has a row for each value, and a way to see each is here', () => {
  const paths = Object.entries({ ...PRESETS.highAvailability, maxMessages: 0 }).flatMap(
    ([name, value]) =>
      typeof value === 'object' ? Object.keys(value).map((inner) => `${name}.${inner}`) : [name],
  )
  expect(rows.map(([name]) => name)).toEqual(paths)
  expect(Object.keys(measures)).toEqual(paths)
})

describe.each(names)('%s', (preset) => {
  it.each(rows)('%s is as the guide says, and matters', async (path, cells) => {
    const value = valueOf(preset, path) as number | string | boolean
    expect(String(value)).toBe(cells[names.indexOf(preset)])
    expect(await measures[path]?.(preset)).toBe(value)
  })
})

it.each<[PresetName, string, Step, number]>(
  (['production', 'highAvailability', 'highSecurity'] as const).flatMap((preset) =>
    ([0, 0.999] as const).flatMap((random): [PresetName, string, Step, number][] => [
      [preset, 'fails', down, random],
      [preset, 'hangs', hang, random],
    ]),
  ),
)('%s: a KMS that %s opens its circuit within three calls', async (preset, _, step, random) => {
  const { world, members, kms } = build(preset, preset === 'highAvailability' ? 2 : 1)
  world.random = random
  for (const member of members) member.always = step
  const isOpen = (): boolean =>
    world.events.some((event) => event.type === 'circuit' && event.to === 'open')
  for (let i = 0; i < 3 && !isOpen(); i++) await world.settled(kms.generateDataKey(call))
  expect(isOpen()).toBe(true)
})
