import { integer, plainOptions, refuseOthers, share } from './options.ts'

/** The default and the range of one number. */
export interface Bound {
  readonly standard: number
  readonly least: number
  readonly most: number
  /** Any number above 0, instead of an integer from `least`. */
  readonly isShare?: true
}

/** The bounds of a group of options. */
export type Bounds<K extends string = string> = Readonly<Record<K, Bound>>

/** A group with each number at its default. */
export type Standards<K extends string> = { readonly [N in K]: number }

/** Returns the default of each number. */
export function standardsOf<K extends string>(bounds: Bounds<K>): Standards<K> {
  const entries = Object.entries<Bound>(bounds)
  return Object.fromEntries(entries.map(([name, { standard }]) => [name, standard])) as Standards<K>
}

/**
 * Returns the numbers that were given, with defaults for the others.
 *
 * @param place - prefix of the names in messages, e.g. `hedge.`
 * @throws KmsError `ERR_KMS_CONFIG` for an unknown option or a number out of its range
 */
export function checkNumbers<K extends string>(
  bounds: Bounds<K>,
  given: { readonly [N in K]?: number | undefined },
  place = '',
): Standards<K> {
  plainOptions(given, place === '' ? 'options' : place.slice(0, -1))
  refuseOthers(given, new Set(Object.keys(bounds)))
  const numbers: Record<string, number> = standardsOf(bounds)
  for (const name in bounds) {
    const value = given[name]
    if (value !== undefined) numbers[name] = checkNumber(place + name, value, bounds[name])
  }
  return Object.freeze(numbers) as Standards<K>
}

/**
 * Returns a number that lies in its range.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function checkNumber(name: string, value: number, { least, most, isShare }: Bound): number {
  return isShare ? share(name, value) : integer(name, value, least, most)
}
