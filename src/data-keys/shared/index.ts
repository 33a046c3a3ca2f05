/**
 * Data keys that processes and isolates share through a store.
 *
 * @module
 */
export type { SharedDataKeysOptions } from './options.ts'
export { sharedDataKeys } from './shared-data-keys.ts'
