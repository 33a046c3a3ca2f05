import { configError, flag, isPlain, plainOptions, wrongOption } from './options.ts'

/** The words of errors for each kind of option. A function is required; any other option is optional. */
const EXPECTED = {
  boolean: 'true or false',
  number: 'a number',
  string: 'a string',
  function: 'a function',
  object: 'an object or a function',
  secret: 'a string or a function that returns one',
  texts: 'a list of strings',
  map: 'an object of strings',
} as const

/** The kind of an option. */
export type OptionKind = keyof typeof EXPECTED

/** The kind of every option of T. */
export type OptionKinds<T> = { readonly [K in keyof T]-?: OptionKind }

/**
 * Refuses unknown options and values of the wrong kind, such as `'false'` for a flag: they would be ignored, or
 * mistaken for something else. `undefined` is an option that was not given.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function checkOptions<T extends object>(options: T, kinds: OptionKinds<T>): void {
  for (const name in { ...plainOptions(options), ...kinds }) {
    const value: unknown = options[name as keyof T]
    const kind = Object.hasOwn(kinds, name) ? kinds[name as keyof T] : undefined
    if (value === undefined && kind !== 'function') continue
    if (kind === undefined) throw configError(`unknown option: ${name}`)
    if (!isOf(kind, value)) throw wrongOption(name, EXPECTED[kind], value)
  }
}

/**
 * Checks the flags of a provider that checks its other options itself.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function checkFlags(flags: Readonly<Record<string, unknown>>): void {
  for (const name in flags) if (flags[name] !== undefined) flag(name, flags[name] as boolean)
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
  return isPlain(value) && isTexts(Object.values(value))
}
