import { checkNumbers, optionError, plainOptions, wrongOption } from '../../src/checks/index.ts'
import { KmsError } from '../../src/errors.ts'
import { webTimers, withTimeout } from '../../src/runtime/index.ts'

/** The member of a Secrets Store binding that is used. */
export interface SecretBinding {
  get(): Promise<string>
}

/** Options of {@link readSecret}. */
export interface ReadSecretOptions {
  /** How long one read may take, in milliseconds, 1 to 60,000; 5,000 by default. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal | undefined
}

const BOUNDS = { timeoutMs: { standard: 5_000, least: 1, most: 60_000 } } as const

/**
 * Reads a Secrets Store binding and returns its value. If the binding is a text, as from `.dev.vars`, it returns the
 * text.
 *
 * The value is not cached. Await it in the request that needs the value, and keep the value, never the promise: a
 * promise of another request may never settle.
 *
 * @param name - the binding's name, for errors
 * @throws KmsError `ERR_KMS_CONFIG` if the secret is missing or empty; `ERR_KMS_TIMEOUT`; or the
 * signal's reason
 */
export async function readSecret(
  name: string,
  binding: SecretBinding | string | undefined,
  options: ReadSecretOptions = {},
): Promise<string> {
  const { signal, ...numbers } = plainOptions(options)
  const { timeoutMs } = checkNumbers(BOUNDS, numbers)
  if (binding === undefined) throw optionError(name, 'is missing: bind it to a secret')
  const value =
    typeof binding === 'string'
      ? binding
      : await withTimeout(() => got(name, binding), {
          timeoutMs,
          signal,
          network: webTimers,
          error: () =>
            new KmsError('ERR_KMS_TIMEOUT', {
              message: `the Secrets Store did not answer for ${name} in time`,
            }),
        })
  if (typeof value === 'string' && value !== '') return value
  throw wrongOption(name, 'a secret that is not empty', value)
}

/**
 * Reads the named Secrets Store bindings and returns a copy of the environment with their values in place. Use it for
 * functions that read texts from an environment, such as `stackFromEnv` and `EnvKeyProvider`.
 *
 * Call it in `createCiphers`, or in the request that needs the values first.
 *
 * @throws KmsError as {@link readSecret}
 *
 * @example
 * ```ts
 * import { EnvelopeCipher } from 'edge-kms'
 * import { EnvKeyProvider } from 'edge-kms/local'
 * import { readSecrets, type SecretBinding } from 'edge-kms/workers'
 *
 * export async function cipherOf(env: { EDGE_KMS_KEY_V1: SecretBinding }): Promise<EnvelopeCipher> {
 *   return new EnvelopeCipher({ kms: new EnvKeyProvider(await readSecrets(env, ['EDGE_KMS_KEY_V1'])) })
 * }
 * ```
 */
export async function readSecrets<Env extends object, Name extends keyof Env & string>(
  env: Env,
  names: readonly Name[],
  options: ReadSecretOptions = {},
): Promise<Omit<Env, Name> & Readonly<Record<Name, string>>> {
  const read = names.map(async (name) => {
    return [name, await readSecret(name, env[name] as SecretBinding | undefined, options)] as const
  })
  const values = Object.fromEntries(await Promise.all(read)) as Record<Name, string>
  return { ...env, ...values }
}

async function got(name: string, binding: SecretBinding): Promise<string> {
  try {
    return await binding.get()
  } catch (error) {
    // The platform says whether the secret or the store is missing; it does not know the value.
    const facts = { message: `${name} cannot be read from the Secrets Store`, cause: error }
    throw new KmsError('ERR_KMS_CONFIG', facts)
  }
}
