export { CipherEntrypoint } from './cipher-entrypoint.ts'
export type { EntrypointContext } from './platform.ts'
export type { Ciphers, ServiceCipher } from './ready-ciphers.ts'
