export type { SharedDataKeysOptions } from './options.ts'
export { sharedDataKeys } from './shared-data-keys.ts'
