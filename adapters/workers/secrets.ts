import { checkNumbers, optionError, plainOptions, wrongOption } from '../../src/checks/index.ts'
import { KmsError } from '../../src/errors.ts'
import { webTimers, withTimeout } from '../../src/runtime/index.ts'

/** The member of a Secrets Store binding that is used. */
export interface SecretBinding {
  get(): Promise<string>
}

/** Options of {@link readSecret}. */
export interface ReadSecretOptions {
  /** How long one read takes at most, in milliseconds, 1 to 60,000; 5,000 by default. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal | undefined
}

const BOUNDS = { timeoutMs: { standard: 5_000, least: 1, most: 60_000 } } as const

/**
 * Returns the value of a Secrets Store binding, read by this call. A text is returned as it is, as `.dev.vars`
 * gives one.
 *
 * Nothing is kept: await it in the request that needs the value, and keep the value, never the promise. A
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
 * Returns a copy of an environment in which the named Secrets Store bindings are their values, read at once by
 * this call: for functions that read texts from an environment, such as `stackFromEnv` and `EnvKeyProvider`.
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
