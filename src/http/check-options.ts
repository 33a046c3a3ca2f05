import { configError } from '../checks/index.ts'

/** What an option must be: by `typeof`, or one of those that `typeof` cannot tell. */
export type OptionKind =
  | 'boolean'
  | 'number'
  | 'string'
  | 'function' // must be given
  | 'object' // or a function
  | 'secret' // a text, or a function that gives it
  | 'texts'
  | 'map'

/** The kind of every option of T. */
export type OptionKinds<T> = { readonly [K in keyof T]-?: OptionKind }

/**
 * Refuses what would be accepted and ignored, or taken for something else: an option that nobody
 * knows, and `'false'` where a flag belongs. `undefined` is an option that was not given.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function checkOptions<T extends object>(options: T, kinds: OptionKinds<T>): void {
  // Also what is not the object's own: it would be read all the same.
  for (const name in { ...options, ...kinds }) {
    const value: unknown = options[name as keyof T]
    if (value === undefined && kinds[name as keyof T] !== 'function') continue
    if (!Object.hasOwn(kinds, name)) throw configError(`unknown option: ${name}`)
    if (!isOf(kinds[name as keyof T], value)) throw configError(`${name} is not valid`)
  }
}

/**
 * The flags of a provider that checks its other options itself.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function checkFlags(flags: Readonly<Record<string, unknown>>): void {
  for (const name in flags) if (!isFlag(flags[name])) throw configError(`${name} is not valid`)
}

/** Whether it is a flag, or none was given. */
export function isFlag(value: unknown): boolean {
  return [true, false, undefined].includes(value as boolean)
}

/** Whether it is a list of strings. */
export function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
}

function isOf(kind: OptionKind, value: unknown): boolean {
  const type = typeof value
  if (kind === 'secret') return type === 'string' || type === 'function'
  if (kind === 'texts') return isTexts(value)
  if (type === kind) return value !== null
  if (kind === 'map') return isMap(value)
  return kind === 'object' && type === 'function'
}

function isMap(value: unknown): boolean {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isObject && isTexts(Object.values(value))
}
