/**
 * The service of a vault: a Worker that encrypts and decrypts for other Workers by RPC.
 *
 * @module
 */
export { CipherEntrypoint } from './cipher-entrypoint.ts'
export type { EntrypointContext } from './platform.ts'
export type { Ciphers, ServiceCipher } from './ready-ciphers.ts'
