// The table of numbers against each place that says them in words or in a schema.
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import type { Bound } from '../../../src/checks/index.ts'
import {
  BULKHEAD,
  CIRCUIT,
  HEDGE,
  HOLD,
  QUORUM,
  RETRY,
  TIMEOUTS,
} from '../../../src/resilience/index.ts'
import { PRESETS } from '../../../src/index.ts'

const read = (path: string): string =>
  readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')
const guide = read('docs/guides/resilience.md')
const schema = JSON.parse(read('resilient-kms-config.schema.json')) as {
  readonly properties: Readonly<Record<string, unknown>>
}

/** The group's place in the source, in configurations, and what has no default. */
const groups: readonly (readonly [
  file: string,
  prefix: string,
  bounds: Readonly<Record<string, Bound>>,
  required?: string,
])[] = [
  ['retry-policy.ts', 'retry', RETRY],
  ['circuit-config.ts', 'circuitBreaker', CIRCUIT],
  ['bulkhead.ts', 'bulkhead', BULKHEAD],
  ['multi-options.ts', 'hedge', HEDGE, 'afterMs'],
  ['multi-options.ts', 'writePolicy', QUORUM, 'quorum'],
  ['resilience-config.ts', '', TIMEOUTS],
]
const numbers: readonly (readonly [
  path: string,
  file: string,
  bound: Bound,
  isRequired: boolean,
])[] = [
  ...groups.flatMap(([file, prefix, bounds, required]) =>
    Object.entries(bounds).map(
      ([name, bound]) => [`${prefix}.${name}`, file, bound, name === required] as const,
    ),
  ),
  ['.maxHoldMs', 'bulkhead.ts', HOLD.maxHoldMs, false] as const,
]
const spelt = (value: number): string => value.toLocaleString('en-US')

/** Every object with properties in a schema. */
function objectsIn(node: unknown): readonly Readonly<Record<string, Record<string, unknown>>>[] {
  if (typeof node !== 'object' || node === null) return []
  const { properties } = node as { properties?: Record<string, Record<string, unknown>> }
  return [...(properties ? [properties] : []), ...Object.values(node).flatMap(objectsIn)]
}

/** Follows references inside the schema. */
function resolved(node: unknown): Record<string, unknown> {
  const { $ref: to } = node as { $ref?: string }
  if (to === undefined) return node as Record<string, unknown>
  const steps = to.replace(/^#\/?/, '').split('/')
  return steps.reduce<unknown>(
    (at, step) => (at as Record<string, unknown>)[step],
    schema,
  ) as Record<string, unknown>
}

const parts = (path: string): readonly [group: string, name: string] => {
  const [group = '', name = ''] = path.split('.')
  return [group, name]
}

it.each(numbers)(
  '%s: its doc comment has its default and its range',
  (path, file, bound, isRequired) => {
    const [, name] = parts(path)
    const { standard, least, most, isShare } = bound
    const pattern = new RegExp(`/\\*\\*([^/]*?)\\*/\\s+readonly ${name}\\??: number`, 'g')
    const texts = [...read(`src/resilience/${file}`).matchAll(pattern)].map(([, text = '']) => text)
    const [from, to] = [spelt(least), spelt(most)]
    const range = isShare ? `above ${from}, at most ${to}` : `${from} to ${to}`
    const wanted = [name === 'quorum' ? '1 to the number of KMSs' : range]
    if (!isRequired) wanted.push(`${spelt(standard)} by default`)
    const saysAll = (text: string): boolean => wanted.every((words) => text.includes(words))
    expect([wanted, texts.some(saysAll)]).toEqual([wanted, true])
  },
)

const configured = numbers.filter(([path]) => path !== '.maxHoldMs')

it.each(configured)(
  '%s: the published schema has its range',
  (path, _, { least, most, isShare }) => {
    const [group, name] = parts(path)
    const bounds = groups.find(([, prefix]) => prefix === group)?.[2] ?? {}
    const isGroup = (one: object): boolean =>
      name in one && Object.keys(one).every((key) => key in bounds)
    const holders = group === '' ? [schema.properties] : objectsIn(schema).filter(isGroup)
    expect(holders.length).toBeGreaterThan(0)
    for (const holder of holders) {
      const { minimum, exclusiveMinimum, maximum } = resolved(holder[name])
      expect([isShare ? exclusiveMinimum : minimum, maximum]).toEqual([least, most])
    }
  },
)

const inGuide = configured.filter(([, , , isRequired]) => !isRequired)

it.each(inGuide)('%s: the guide says its default', (path, _, { standard }) => {
  const [group, name] = parts(path)
  if (name === 'graceMs') {
    expect(guide).toContain(`is ${spelt(standard)} ms`)
    return
  }
  const label = group === '' ? name : path
  const row = new RegExp(`^\\| \`${label}\` \\|(.*)\\|$`, 'm').exec(guide)
  const cells = row?.[1]?.split('|').map((cell) => cell.trim()) ?? []
  // `production` is the preset of defaults; it has no hedge.
  const at = Object.keys(PRESETS).indexOf(group === 'hedge' ? 'highAvailability' : 'production')
  expect(cells[at]).toBe(String(standard))
})
