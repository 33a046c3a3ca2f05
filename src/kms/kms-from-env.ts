import { variableNames } from '../checks/index.ts'
import type { Network, Runtime } from '../ports/index.ts'
import type { KeyManagementService } from './key-management-service.ts'

/** Tools that the variables of an environment cannot hold. */
export interface KmsFromEnvOptions {
  readonly network?: Network | undefined
  readonly runtime?: Runtime | undefined
  /**
   * Reads a file as text, for variables that name one, such as `AWS_WEB_IDENTITY_TOKEN_FILE`. It is called again at
   * each refresh. Without it, such a variable is an error.
   */
  readonly readTextFile?: ((path: string) => Promise<string>) | undefined
}

/** Makes the KMS of one vendor from an environment: `awsKmsFromEnv`, `gcpKmsFromEnv` and so on. */
export interface KmsFromEnv<O extends KmsFromEnvOptions = KmsFromEnvOptions> {
  /**
   * @param env - `process.env`, a Worker's `env`, or any object with the variables. It is read at this call alone
   * @throws KmsError `ERR_KMS_CONFIG` that names the variable, and never holds its value
   */
  (env: object, options?: O): KeyManagementService
  /** The variables that name the key. `stackFromEnv` chooses by them. */
  readonly variables: readonly string[]
}

/** Returns a function that makes a KMS, with the names of the variables that choose it. */
export function kmsFromEnv<O extends KmsFromEnvOptions>(
  variables: readonly string[],
  make: (env: object, options: Partial<O>) => KeyManagementService,
): KmsFromEnv<O> {
  const fromEnv = (env: object, options: Partial<O> = {}): KeyManagementService => {
    variableNames(env) // for its check
    // Stores are for sources that make a whole stack.
    const { bindings: _bindings, ...own } = options as Partial<O> & { readonly bindings?: unknown }
    return make(env, own as Partial<O>)
  }
  return Object.freeze(Object.assign(fromEnv, { variables: Object.freeze([...variables]) }))
}
