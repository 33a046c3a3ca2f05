import { isKmsError, KmsError } from '../errors.ts'
import { configError, wrongOption } from './options.ts'

/**
 * Returns a variable of an environment; `undefined` if it is not set, if it is a binding of the platform, or if
 * the platform does not permit to read it. It is read by its name alone, so that a permission for that name is
 * enough.
 *
 * @throws KmsError `ERR_KMS_CONFIG` for an empty variable: somebody meant to set it
 */
export function variableOf(env: object, name: string): string | undefined {
  let value: unknown
  try {
    value = (env as Readonly<Record<string, unknown>>)[name]
  } catch {
    return undefined
  }
  // Files that become variables end with a line break.
  if (typeof value === 'string' && value.trim() !== '') return value.trim()
  if (typeof value === 'string') throw configError(`${name} is empty: set it, or remove it`)
  const isText = value === undefined || value === null || typeof value === 'object'
  if (isText || typeof value === 'function') return undefined
  throw configError(`${name} must be a string, got a ${typeof value}`)
}

/**
 * Returns a variable that must be set.
 *
 * @param why - what needs it, e.g. `VAULT_ROLE_ID is set`
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function demandVariable(env: object, name: string, why: string): string {
  const value = variableOf(env, name)
  if (value !== undefined) return value
  throw configError(`${name} is not set or not readable: ${why}${deniedVariables(env, [name])}`)
}

/**
 * Returns what the environment itself says of those variables that may not be read, as the end of a message; nothing
 * if it does not say. `edge-kms/deno` names the flag. Texts that differ in the name alone become one.
 */
export function deniedVariables(env: object, names: readonly string[]): string {
  const denied = new Map<string, string[]>()
  for (const name of names) {
    const text = denialOf(env, name)?.replaceAll(name, PLACE)
    if (text !== undefined) denied.set(text, [...(denied.get(text) ?? []), name])
  }
  return [...denied].map(([text, of]) => `; ${text.replaceAll(PLACE, of.join())}`).join('')
}

/** Stands for a name in a text; no text of ours has one. */
const PLACE = '\u0000'

function denialOf(env: object, name: string): string | undefined {
  try {
    Reflect.get(env, name)
    return undefined
  } catch (error) {
    return isKmsError(error, 'ERR_KMS_CONFIG') ? error.message : undefined
  }
}

/**
 * Throws if the environment says that it may not read one of these variables. Other credentials must not be used in
 * their place, only because a permission is missing.
 *
 * @param why - what reads them, for the error
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function refuseDenied(env: object, names: readonly string[], why: string): void {
  const denied = deniedVariables(env, names)
  if (denied !== '') throw configError(why + denied)
}

/**
 * Returns the names of an environment that lists them; nothing where it does not, such as a proxy over single
 * variables.
 *
 * @throws KmsError `ERR_KMS_CONFIG` for what is not an object
 */
export function variableNames(env: object): readonly string[] {
  if (Object(env) !== env) throw wrongOption('env', 'an object with the variables', env)
  try {
    return Object.keys(env)
  } catch {
    return []
  }
}

/**
 * Makes what a variable configures. An error of the configuration names the variable, and never repeats its
 * value or a host in it.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function fromVariable<T>(name: string, value: string, make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (!isKmsError(error, 'ERR_KMS_CONFIG')) throw error
    const hidden = [value, URL.canParse(value) ? new URL(value).hostname : '']
    const isShown = (text: string): boolean => text !== '' && error.message.includes(text)
    const message = hidden
      .filter(isShown)
      .reduce((said, text) => said.replaceAll(text, '…'), error.message)
    throw configError(`${name}: ${message}`)
  }
}

/**
 * Returns a flag that a variable sets.
 *
 * @throws KmsError `ERR_KMS_CONFIG` for anything but `true` and `false`
 */
export function flagVariable(env: object, name: string): boolean | undefined {
  const value = variableOf(env, name)?.toLowerCase()
  if (value === undefined) return undefined
  if (value === 'true' || value === 'false') return value === 'true'
  throw configError(`${name} must be true or false`)
}

/**
 * Returns a function that reads the file that a variable names; `undefined` if the variable is not set. Its errors
 * show `$NAME` instead of the path.
 *
 * @throws KmsError `ERR_KMS_CONFIG` if nothing can read it
 */
export function fileVariable(
  env: object,
  name: string,
  readTextFile: ((path: string) => Promise<string>) | undefined,
): (() => Promise<string>) | undefined {
  const path = variableOf(env, name)
  if (path === undefined) return undefined
  if (typeof readTextFile !== 'function')
    throw configError(`${name} names a file: give readTextFile, which reads one`)
  return async () => {
    try {
      return await readTextFile(path)
    } catch (error) {
      throw fileError(name, path, error)
    }
  }
}

/** Returns the error of a file without its path: a variable may hold the secret itself instead of a path. */
function fileError(name: string, path: string, error: unknown): KmsError {
  if (!isKmsError(error)) return configError(`${name} must name a file that can be read`)
  return new KmsError(error.code, { message: error.message.replaceAll(path, () => `$${name}`) })
}
