export { createLocalKms } from './create-local-kms.ts'
export { EnvKeyProvider, type EnvKeyProviderOptions } from './env-key-provider.ts'
export type { LocalKeyVersion } from './local-key-ring.ts'
export { LocalKms, type LocalKmsOptions } from './local-kms.ts'
