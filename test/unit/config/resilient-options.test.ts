import { toJSONSchema } from 'zod/mini'
import { describe, expect, it } from 'vitest'
import { createResilientKms, type ResilientKmsConfig } from '../../../src/config/index.ts'
import { resilientConfigSchema } from '../../../src/config/resilience.ts'
import { CachedKms, composeKms, type ComposeKmsOptions, isKmsError } from '../../../src/index.ts'
import { ScriptedKms } from '../../support/scripted-kms.ts'
import type { AnyConfig } from './observe.ts'
import { type Json, schemaOptions } from './schema-paths.ts'

const key = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8='
const local = (kekId: string) => ({ provider: 'local', kekId, versions: [{ version: 1, key }] })
/** Those of one KMS are held elsewhere, and those of stores in `stores.test.ts`. */
const options = schemaOptions(
  toJSONSchema(resilientConfigSchema, { io: 'input' }) as unknown as Json,
).filter(
  ({ path }) =>
    !/^(?:local|aws-kms|gcp-kms|azure-key-vault|vault-transit|by-context|env|google-cloud-kms|kms|circuitStore|shared)\b/.test(
      path,
    ),
)

/** Options that must be set beside an option, so that its own bounds decide. */
const BESIDE: Readonly<Record<string, AnyConfig>> = {
  attemptTimeoutMs: { deadlineMs: 900_000 },
  bulkhead: { deadlineMs: 900_000 },
  hedge: { deadlineMs: 900_000 },
  writePolicy: { deadlineMs: 900_000 },
  'hedge.budget': { hedge: { afterMs: 100 }, deadlineMs: 900_000 },
  'writePolicy.graceMs': { writePolicy: { quorum: 1 }, deadlineMs: 900_000 },
  'retry.baseDelayMs': { retry: { maxDelayMs: 300_000 } },
  'retry.throttleDelayMs': { retry: { maxDelayMs: 300_000 } },
  'cache.refreshAheadMs': { cache: { ttlMs: 3_600_000 } },
}
function withOption(path: string, value: unknown): AnyConfig {
  const [name = '', inner] = path.split('.')
  const beside = BESIDE[path] ?? BESIDE[name] ?? {}
  if (inner === undefined) return { ...beside, [name]: value }
  return { ...beside, [name]: { ...(beside[name] as object | undefined), [inner]: value } }
}

/** Returns the messages of the configuration, and of the parts, which know no schema. */
function saidOf(config: AnyConfig): readonly [json: string, parts: string] {
  const say = (make: () => unknown): string => {
    try {
      make()
      return 'made'
    } catch (error) {
      if (!isKmsError(error, 'ERR_KMS_CONFIG')) throw error
      return error.message
    }
  }
  const { cache, ...resilience } = config as AnyConfig & { cache?: { maxWraps?: number } }
  // As many KMSs as a header has wraps, but where that is what is asked for.
  const length = cache?.maxWraps === undefined ? 16 : 1
  const members = Array.from({ length }, (_, i) => String(i))
  const room = { cache: { maxWraps: 16, ...cache } }
  const repairs = { note: () => Promise.resolve() }
  const kms = members.map(local)
  return [
    say(() => createResilientKms({ kms, ...config, ...room } as ResilientKmsConfig, { repairs })),
    say(() => {
      const services = members.map((name) => new ScriptedKms(name))
      const stack = composeKms(services, { repairs, ...(resilience as ComposeKmsOptions) })
      const bounds = { maxWraps: 16, ...(cache as object | undefined) }
      return new CachedKms({ kms: stack, ...bounds })
    }),
  ]
}

const numbers = options.flatMap(({ path, schema }) =>
  schema.maximum === undefined
    ? []
    : [[path, schema.minimum ?? Number.MIN_VALUE, schema.maximum] as const],
)

describe('configuration of the stack: the bounds that are published are those of the parts', () => {
  it.each(numbers)('%s: %d to %d', (path, least, most) => {
    for (const value of [least, most])
      expect([path, value, saidOf(withOption(path, value))]).toEqual([
        path,
        value,
        ['made', 'made'],
      ])
    const step = Number.isInteger(least) && least !== Number.MIN_VALUE ? 1 : 0.001
    const over = most === Number.MAX_SAFE_INTEGER ? 2 ** 53 : most + (most === 1 ? 0.5 : 1)
    for (const value of [least === Number.MIN_VALUE ? 0 : least - step, over, NaN, String(least)]) {
      const [json, parts] = saidOf(withOption(path, value))
      expect([value, json]).toEqual([value, expect.stringMatching(new RegExp(`^${path} must be`))])
      expect([value, parts]).toEqual([value, expect.stringContaining(path.split('.').at(-1) ?? '')])
    }
  })

  it('and no option has none but those that are words', () => {
    const others = options
      .map(({ path }) => path)
      .filter((path) => !numbers.some(([one]) => one === path))
    expect(others).toEqual([
      'preset',
      'retry',
      'circuitBreaker',
      'bulkhead',
      'writePolicy',
      'order',
      'hedge',
      'scopes',
      'cache',
      'cache.requiredContextKeys',
    ])
  })
})
