import { configError, wrongOption } from '../checks/index.ts'
import { areVersions } from '../kms/index.ts'
import { COUNT_NAMES } from './counts.ts'
import { isCursor, MAX_CURSOR } from './record-page.ts'
import type { RotationPhase, RotationState, SourceState } from './rotation-state.ts'

const PHASES: readonly RotationPhase[] = ['running', 'paused', 'stopped', 'finished']
const MAX_COUNT = Number.MAX_SAFE_INTEGER

type Check = readonly [expected: string, isGood: (value: unknown) => boolean]

const count = (least = 0): Check => [
  `an integer from ${String(least)}`,
  (value) =>
    Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= MAX_COUNT,
]
const time: Check = ['a time in milliseconds', (value) => Number.isFinite(value)]
const text: Check = ['text', (value) => typeof value === 'string']
const flag: Check = ['true or false', (value) => typeof value === 'boolean']
const counts: Check = [
  'a number for each class',
  (value) =>
    COUNT_NAMES.every((name) => count()[1]((Object(value) as Record<string, unknown>)[name])),
]
const optional = ([expected, isGood]: Check): Check => [
  expected,
  (value) => value === undefined || isGood(value),
]
const list = (expected: string, isGood: (value: unknown) => boolean): Check => [
  expected,
  (value) => Array.isArray(value) && value.every(isGood),
]

const STATE: Readonly<Record<keyof RotationState, Check>> = {
  version: ['1', (value) => value === 1],
  job: text,
  phase: [PHASES.join(', '), (value) => PHASES.includes(value as RotationPhase)],
  target: ['a list of versions', (value) => areVersions(value as RotationState['target'])],
  startedAtMs: time,
  updatedAtMs: time,
  sources: list('a list of sources', (value) => Object(value) === value),
  counts,
  samples: list('a list of failures', (value) =>
    ['source', 'id', 'field', 'class', 'code'].every((name) =>
      text[1]((Object(value) as Record<string, unknown>)[name]),
    ),
  ),
  quarantine: list('a list of texts', (value) => typeof value === 'string'),
  forgiven: count(),
}

const cursor: Check = [`a cursor of at most ${String(MAX_CURSOR)} characters`, isCursor]
const SOURCE: Readonly<Record<keyof SourceState, Check>> = {
  name: text,
  sweep: count(1),
  cursor,
  mark: [
    'a cursor with its pages',
    (value) => {
      if (value === undefined) return true
      const { cursor: at, pages, most } = Object(value) as Record<string, unknown>
      return typeof at === 'string' && isCursor(at) && count()[1](pages) && count(1)[1](most)
    },
  ],
  done: flag,
  changed: flag,
  stalls: count(),
  doneHere: count(),
  counts,
  fingerprint: optional(text),
  fingerprintBefore: optional(text),
}

/**
 * Returns a state that came back from an engine, if it is one of these sources. A field that is missing or of another
 * type is refused: a comparison with it would be false, and switch off what it decides.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function checkState(state: unknown, sources: readonly string[]): RotationState {
  if (Object(state) !== state)
    throw wrongOption('state', 'what newRotationState or a step returned', state)
  demandFields('state', state as RotationState, STATE)
  const held = (state as RotationState).sources
  const names = held.map(({ name }) => name).join(', ')
  if (names !== sources.join(', '))
    throw configError(`the state is of other sources: ${names}; configured: ${sources.join(', ')}`)
  held.forEach((source, i) => {
    demandFields(`state.sources.${String(i)}`, source, SOURCE)
  })
  return state as RotationState
}

function demandFields<T extends object>(
  place: string,
  given: T,
  checks: Readonly<Record<keyof T, Check>>,
): void {
  for (const [name, [expected, isGood]] of Object.entries<Check>(checks)) {
    const value = (given as Readonly<Record<string, unknown>>)[name]
    if (!isGood(value)) throw wrongOption(`${place}.${name}`, expected, value)
  }
}
