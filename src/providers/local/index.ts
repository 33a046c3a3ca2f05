/**
 * A KMS whose keys are in the environment or in options, for development, tests and machines without a KMS.
 *
 * @module
 */
export {
  createLocalKeyLifecycle,
  type LocalKeyLifecycleOptions,
  type LocalKeyPlace,
} from './create-local-key-lifecycle.ts'
export { createLocalKms } from './create-local-kms.ts'
export { EnvKeyProvider, type EnvKeyProviderOptions } from './env-key-provider.ts'
export { localKmsFromEnv, type LocalKmsFromEnvOptions } from './local-kms-from-env.ts'
export type { LocalKeyVersion } from './local-key-ring.ts'
export { LocalKms, type LocalKmsOptions } from './local-kms.ts'
