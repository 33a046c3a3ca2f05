import { KmsError } from '../errors.ts'

/** Returns the error of a wrong configuration. The message must hold no value that may be secret. */
export function configError(message: string): KmsError {
  return new KmsError('ERR_KMS_CONFIG', { message })
}

/** The sentence of an error of one option, once its path is known: see {@link placed}. */
const SENTENCES = new WeakMap<KmsError, (above: string) => string>()
/** Errors that say their whole path. */
const PLACED = new WeakSet<KmsError>()

/**
 * Returns the error of one option: its name, and what is wrong with it.
 *
 * @param name - the option's path, e.g. `cache.ttlMs`
 * @param says - completes the sentence, e.g. `is missing: set it`
 */
export function optionError(name: string, says: string): KmsError {
  return errorOf((above) => `${above}${name} ${says}`)
}

/**
 * Returns a configuration error with the place of its part: `ttlMs must be …` in `cache` becomes
 * `cache.ttlMs must be …`. An error that has its place keeps it.
 *
 * @param path - of the part that refused the option, e.g. `kms.0.credentials`
 */
export function placed(path: string, error: KmsError): KmsError {
  if (path === '' || PLACED.has(error)) return error
  const message = SENTENCES.get(error)?.(`${path}.`) ?? `${path}: ${error.message}`
  const { provider } = error
  const facts = { message, ...(provider !== undefined && { provider }) }
  const whole = new KmsError('ERR_KMS_CONFIG', facts)
  PLACED.add(whole)
  return whole
}

function errorOf(sentence: (above: string) => string): KmsError {
  const error = configError(sentence(''))
  SENTENCES.set(error, sentence)
  return error
}

/**
 * Returns the error of one wrong option.
 *
 * @param name - the option's path, e.g. `cache.ttlMs`
 * @param expected - completes "must be …"
 * @param value - what the caller gave; only its kind is shown unless it is a flag
 */
export function wrongOption(
  name: string,
  expected: string,
  ...value: readonly unknown[]
): KmsError {
  const got = value.length === 0 ? '' : `, got ${describe(value[0])}`
  return optionError(name, `must be ${expected}${got}`)
}

/**
 * Returns the error of an option that must be a number: a wrong number is shown.
 *
 * @param expected - completes "must be …"
 */
export function wrongNumber(name: string, expected: string, value: unknown): KmsError {
  return optionError(name, `must be ${expected}, got ${shown(value)}`)
}

/** Returns a number as it is, and of anything else its kind. Only where a number is expected: else it may be a secret. */
export function shown(value: unknown): string {
  return typeof value === 'number' ? String(value) : describe(value)
}

/** Returns a flag as it is, and of anything else the kind alone: it may be a secret, a number too. */
export function describe(value: unknown): string {
  if (value === null || ['undefined', 'boolean'].includes(typeof value)) return String(value)
  if (Array.isArray(value)) return 'an array'
  if (typeof (value as Partial<PromiseLike<unknown>>).then === 'function') {
    // It is refused, so nobody else handles its rejection, which would end a Node process.
    Promise.resolve(value).catch(() => undefined)
    return 'a promise: did you forget await?'
  }
  if (value === '') return 'an empty string'
  if (typeof value !== 'object') return `a ${typeof value}`
  return isPlain(value) ? 'an object' : 'an instance of a class'
}

/** Whether it is an object literal or its like: what a class or a prototype adds would be lost in a copy. */
export function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

/**
 * Returns the options as they are. An instance of a class, or an object with a prototype of its own, could hold
 * options that its copy has not: the call would bind less than its caller meant.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function plainOptions<T extends object>(options: T, name = 'options'): T {
  if (isPlain(options)) return options
  throw wrongOption(name, 'a plain object', options)
}

/**
 * Refuses an object that has not the methods by which it is known: without them it would fail at a later call.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function demandMethods(name: string, given: unknown, methods: readonly string[]): void {
  const held = Object(given) as Readonly<Record<string, unknown>>
  const missing = methods.find((method) => typeof held[method] !== 'function')
  if (missing !== undefined) throw wrongOption(name, `an object with ${missing}()`, given)
}

/**
 * Refuses anything but a signal: a controller in its place has no `throwIfAborted`, and would abort nothing.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function demandSignal(signal: unknown): void {
  const given = Object(signal) as Partial<AbortSignal>
  if (typeof given.aborted === 'boolean' && typeof given.throwIfAborted === 'function') return
  throw wrongOption('signal', 'an AbortSignal such as controller.signal', signal)
}

/** Returns the error of an option that nothing knows. */
export function unknownOption(name: string): KmsError {
  return errorOf((above) => `unknown option: ${above}${name}`)
}

/**
 * Refuses unknown options: a misspelt one that is accepted is a silent default.
 *
 * @param others - the options that are left once the known ones are taken out
 * @param known - names to accept, where they were not taken out
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function refuseOthers(
  others: Readonly<Record<string, unknown>>,
  known?: ReadonlySet<string>,
): void {
  for (const name in others) {
    if (known?.has(name) || others[name] === undefined) continue
    throw unknownOption(name)
  }
}

/**
 * Returns an integer option that lies in its range.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function integer(name: string, value: number, least: number, most: number): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value
  throw wrongNumber(name, `an integer from ${String(least)} to ${String(most)}`, value)
}

/**
 * Returns an option that is above 0 and at most 1.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function share(name: string, value: number): number {
  if (typeof value === 'number' && value > 0 && value <= 1) return value
  throw wrongNumber(name, 'above 0 and at most 1', value)
}

/**
 * Returns a choice that the types name and that a caller without types can misspell.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function oneOf<T extends string>(name: string, value: T, choices: readonly T[]): T {
  if (choices.includes(value)) return value
  throw wrongOption(name, choices.join(' or '), value)
}

/**
 * Returns a flag.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function flag(name: string, value: boolean): boolean {
  if (typeof value === 'boolean') return value
  throw wrongOption(name, 'true or false', value)
}

/**
 * Returns a function that an option or argument must be.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function demandFunction<T>(name: string, value: T): T {
  if (typeof value === 'function') return value
  throw wrongOption(name, 'a function', value)
}
