import { FAILURE_CLASSES, type RotationClass, type RotationCounts } from './rotation-state.ts'

/** Every class, in the order in which reports show them. */
export const ROTATION_CLASSES: readonly RotationClass[] = [
  'done',
  'current',
  'reference',
  'empty',
  'foreign',
  ...FAILURE_CLASSES,
  'outage',
  'lost-race',
]

/** Names of all counts. */
export const COUNT_NAMES: readonly (keyof RotationCounts)[] = [
  ...ROTATION_CLASSES,
  'records',
  'kmsCalls',
]

/** Counts that can be added to. */
export type Tally = { -readonly [Name in keyof RotationCounts]: number }

/** Returns counts of 0. */
export function zeroCounts(): Tally {
  return Object.fromEntries(COUNT_NAMES.map((name) => [name, 0])) as Tally
}

/** Returns the sum of counts. */
export function sumCounts(...all: readonly RotationCounts[]): RotationCounts {
  const sum = zeroCounts()
  for (const counts of all) for (const name of COUNT_NAMES) sum[name] += counts[name]
  return sum
}

/** Returns how many values failed. */
export function failuresOf(counts: RotationCounts): number {
  return FAILURE_CLASSES.reduce((sum, name) => sum + counts[name], 0)
}

/** Whether values of a class count as failures. */
export function isFailure(name: RotationClass): name is (typeof FAILURE_CLASSES)[number] {
  return (FAILURE_CLASSES as readonly RotationClass[]).includes(name)
}
