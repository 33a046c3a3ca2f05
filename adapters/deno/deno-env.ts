import { type DenoNamespace, denoNamespace, isDenied, permissionError } from './deno-permissions.ts'

/** Variables by their names. */
export type DenoEnv = Readonly<Record<string, string | undefined>>

/** Members that JavaScript itself asks any object for. */
const NO_VARIABLES: ReadonlySet<string | symbol> = new Set(['then', 'toJSON', 'constructor'])

/**
 * Returns the environment of this process. Each variable is read by its own name when it is used, so that
 * `--allow-env=NAME` for the names that are needed is enough. It does not list names, and cannot be written.
 *
 * It asks Deno whether a name is permitted before it reads the variable, so Deno never prompts at a terminal for the
 * many names that `stackFromEnv` looks for. For `stackFromEnv`, a name that is not permitted counts as not set, and
 * an error about a missing variable names the flag.
 *
 * @throws KmsError `ERR_KMS_CONFIG` on another runtime. Reading a variable that is not permitted also throws it, with
 * the flag that permits the variable
 *
 * @example
 * ```ts
 * import { stackFromEnv } from 'edge-kms'
 * import { denoEnv } from 'edge-kms/deno'
 * import { localKmsFromEnv } from 'edge-kms/local'
 *
 * // deno run --allow-env=EDGE_KMS_KEY_V1
 * export const openStack = () => stackFromEnv(denoEnv(), { kms: localKmsFromEnv })
 * ```
 */
export function denoEnv(): DenoEnv {
  const deno = denoNamespace()
  const read = (name: string | symbol): string | undefined =>
    typeof name === 'symbol' || NO_VARIABLES.has(name) ? undefined : variable(deno, name)
  const refuse = (): false => false
  return new Proxy<DenoEnv>(Object.create(null) as DenoEnv, {
    get: (_, name) => read(name),
    has: (_, name) => read(name) !== undefined,
    ownKeys: () => [],
    set: refuse,
    defineProperty: refuse,
    deleteProperty: refuse,
  })
}

function variable({ env, permissions }: DenoNamespace, name: string): string | undefined {
  const state = permissions?.querySync({ name: 'env', variable: name }).state ?? 'granted'
  if (state !== 'granted') throw denied(name)
  try {
    return env.get(name)
  } catch (error) {
    throw isDenied(error) ? denied(name) : error
  }
}

const denied = (name: string): Error => permissionError(`read ${name}`, `--allow-env=${name}`)
