import {
  isTexts,
  optionError,
  plainOptions,
  refuseOthers,
  wrongOption,
} from '../../src/checks/index.ts'
import type { CallOptions, EncryptionContext, EnvelopeCipher } from '../../src/index.ts'
import { decodeUtf8 } from '../../src/bytes/index.ts'
import { valueOf } from '../../src/errors.ts'
import { bytesOfText } from './batch.ts'

/** Options of {@link decryptEnv} and {@link encryptEnvValue}. */
export interface EnvValueOptions extends CallOptions {
  /** The context of all values, e.g. `{ app: 'orders', stage: 'prod' }`. */
  readonly context?: EncryptionContext
}

/** Options of {@link decryptEnv}. */
export interface DecryptEnvOptions<N extends string = string> extends EnvValueOptions {
  /**
   * The variables to decrypt, which must exist and be encrypted. By default every variable whose value begins with
   * `ek1.`.
   */
  readonly names?: readonly N[]
}

/**
 * Returns the decrypted values of encrypted environment variables, by their names; `env` does not change.
 *
 * The name is bound to each value as aad: a value that was moved to another variable does not open. All values
 * of one {@link encryptEnvValue} run share a data key, and each data key is unwrapped once.
 *
 * @throws KmsError `ERR_KMS_CONFIG` if a variable of `names` is missing or not encrypted; `ERR_DECRYPT_FAILED` if
 * one value does not open, and then none is returned; or the KMS's error
 *
 * @example
 * ```ts
 * import { EnvelopeCipher } from 'edge-kms'
 * import { EnvKeyProvider } from 'edge-kms/local'
 * import { decryptEnv, withKms } from 'edge-kms/lambda'
 *
 * export const handler = withKms(async (_event: unknown, _context, { env }) => env.DB_URL.length, {
 *   create: async () => {
 *     const cipher = new EnvelopeCipher({ kms: new EnvKeyProvider(process.env) })
 *     const options = { names: ['DB_URL'], context: { app: 'orders' } } as const
 *     return { cipher, env: await decryptEnv(cipher, process.env, options) }
 *   },
 * })
 * ```
 */
export async function decryptEnv<N extends string = string>(
  cipher: EnvelopeCipher,
  env: Readonly<Record<string, unknown>>,
  options: DecryptEnvOptions<N> = {},
): Promise<Readonly<Record<N, string>>> {
  const { names, context = {}, signal, defer, ...others } = plainOptions(options)
  refuseOthers(others)
  if (Object(env) !== env) throw wrongOption('env', 'an object such as process.env', env)
  const entries = names === undefined ? encryptedEntries(env) : namedEntries(env, names)
  const items = entries.map(([name, text]) => ({
    envelope: bytesOfText(text),
    context,
    aad: { env: name },
  }))
  const outcomes = await cipher.decryptMany(items, {
    ...(signal !== undefined && { signal }),
    ...(defer !== undefined && { defer }),
  })
  const values = outcomes.map((outcome, i) => [entries[i]?.[0], textOf(valueOf(outcome))])
  return Object.fromEntries(values) as Record<N, string>
}

/**
 * Encrypts one value for {@link decryptEnv}. Returns the text form, `ek1.…`, to set as the value of the variable.
 *
 * @throws KmsError as `encryptText`
 */
export async function encryptEnvValue(
  cipher: EnvelopeCipher,
  name: string,
  value: string,
  options: EnvValueOptions = {},
): Promise<string> {
  const { context, signal, defer, ...others } = plainOptions(options)
  refuseOthers(others)
  if (typeof name !== 'string' || name === '')
    throw wrongOption('name', 'the name of a variable', name)
  return cipher.encryptText(value, {
    aad: { env: name },
    ...(context !== undefined && { context }),
    ...(signal !== undefined && { signal }),
    ...(defer !== undefined && { defer }),
  })
}

type Entry = readonly [name: string, text: string]

const isEncrypted = (value: unknown): value is string =>
  typeof value === 'string' && value.startsWith('ek1.')

function encryptedEntries(env: Readonly<Record<string, unknown>>): readonly Entry[] {
  return Object.entries(env).filter((entry): entry is [string, string] => isEncrypted(entry[1]))
}

/** A value in clear where an encrypted one must be is a mistake of the deployment, or an attack on it. */
function namedEntries(
  env: Readonly<Record<string, unknown>>,
  names: readonly string[],
): readonly Entry[] {
  if (!isTexts(names)) throw wrongOption('names', 'a list of strings', names)
  return names.map((name) => {
    const value = Object.hasOwn(env, name) ? env[name] : undefined
    if (isEncrypted(value)) return [name, value]
    const state = value === undefined ? 'is not set' : 'is not encrypted'
    throw optionError(`env ${name}`, `${state}: expected a value of encryptEnvValue, ek1.…`)
  })
}

function textOf(plaintext: Uint8Array): string {
  const text = decodeUtf8(plaintext)
  if (text !== undefined) return text
  throw new TypeError('the plaintext of an environment variable is not UTF-8 text')
}
