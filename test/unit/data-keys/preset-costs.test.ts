// Measures what each preset's cache costs, and how soon it drops a revoked key, under a fake clock. The
// tables of docs/guides/caching.md are compared with it.
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import {
  CachedKms,
  type KeyHeader,
  KmsError,
  type PresetName,
  PRESETS,
} from '../../../src/index.ts'
import { CONTEXT, NOW } from '../wire/fixture.ts'
import { codeOf, distinctRuntime, foreign, GatedKms, ManualNetwork, USE } from './fixture.ts'

const HOUR = 3_600_000
const MONTH_HOURS = 730
/** US dollars for a call: docs/guides/caching.md names the price lists. */
const PRICE = 0.03 / 10_000

const names = Object.keys(PRESETS) as PresetName[]
const guide = readFileSync(new URL('../../../docs/guides/caching.md', import.meta.url), 'utf8')

/** The cells of a table's row, by its first cell. */
function row(first: string): string[] {
  const line = guide.split('\n').find((one) => one.startsWith(`| ${first} |`))
  return (line ?? '')
    .split('|')
    .slice(2, -1)
    .map((cell) => cell.trim())
}

type Side = 'write' | 'read'

function setUp(preset: PresetName, ahead: { readonly refreshAheadMs?: number } = {}) {
  const { cacheTtlMs: ttlMs, cacheMaxStaleMs, encryptForMs, maxMessages } = PRESETS[preset]
  const stale = { maxStaleMs: cacheMaxStaleMs, maxStaleWriteMs: cacheMaxStaleMs }
  const kms = new GatedKms()
  const runtime = distinctRuntime()
  const network = new ManualNetwork() // no jitter: renewal begins as early as it can
  const limits = { ttlMs, ...stale, encryptForMs, maxMessages, ...ahead }
  const cache = new CachedKms({ kms, runtime, network, ...limits })
  const pending: Promise<unknown>[] = []
  const defer = (work: Promise<unknown>): unknown => pending.push(work)
  const use = (side: Side, header: KeyHeader): unknown =>
    side === 'write'
      ? cache.active(CONTEXT, { ...USE, defer })
      : cache.open(header, CONTEXT, { defer })
  /** Resolves when all renewals in the background are done. */
  const renewed = (): Promise<unknown> => Promise.all(pending.splice(0))
  return { kms, runtime, use, renewed }
}

/** KMS calls in an hour of a use, so many times a second. */
async function callsOf(preset: PresetName, side: Side, perSecond: number): Promise<number> {
  const { kms, runtime, use, renewed } = setUp(preset)
  const header = await foreign(kms)
  for (let ms = 0; ms < HOUR; ms += 1_000) {
    runtime.nowMs = NOW + ms
    for (let i = 0; i < perSecond; i += 1) {
      const key = use(side, header)
      if (key instanceof Promise) await key
    }
    await renewed()
  }
  return kms.begun.length
}

it.each<[string, Side, number]>([
  ['writes 1 message a second', 'write', 1],
  ['writes 100 messages a second', 'write', 100],
  ['reads 1 message a second of one data key', 'read', 1],
  ['reads 100 messages a second of one data key', 'read', 100],
])('what an isolate costs that %s', async (first, side, perSecond) => {
  const calls = await Promise.all(names.map((name) => callsOf(name, side, perSecond)))
  expect(row(first)).toEqual(calls.map(String))
  const dollars = calls.map((count) => (count * MONTH_HOURS * PRICE).toFixed(3))
  expect(row(`${first}, US$ a month`)).toEqual(dollars)
})

/** Milliseconds from the KMS's last yes to the cache's first no, asked each second. */
async function letsGoAfter(
  preset: PresetName,
  side: Side,
  code: 'ERR_KMS_KEY_DISABLED' | 'ERR_KMS_UNAVAILABLE',
  ahead: { readonly refreshAheadMs?: number },
): Promise<number> {
  const { kms, runtime, use, renewed } = setUp(preset, ahead)
  const header = await foreign(kms)
  await use(side, header)
  kms.error = new KmsError(code)
  for (let ms = 0; ; ms += 1_000) {
    runtime.nowMs = NOW + ms
    if ((await codeOf(async () => use(side, header))) !== undefined) return ms
    await renewed()
  }
}

it.each(['read', 'write'] as const)('R17 revocation in seconds: %s', async (side) => {
  for (const [code, first] of [
    ['ERR_KMS_KEY_DISABLED', `${side} on, the KMS says that the key is disabled`],
    ['ERR_KMS_UNAVAILABLE', `${side} on, the KMS cannot be reached`],
  ] as const) {
    const times = await Promise.all(
      names.map(async (name) => {
        // Renewed as early as it may be, and not at all, as where nobody asked in that time.
        const early = await letsGoAfter(name, side, code, {})
        const late = await letsGoAfter(name, side, code, { refreshAheadMs: 0 })
        expect(late).toBeGreaterThanOrEqual(early)
        return String(late / 1_000)
      }),
    )
    expect(row(first), first).toEqual(times)
  }
})
