/**
 * Building blocks for a store of your own, which our stores use too: argument checks, bounded calls with one
 * kind of error, values that carry their expiry time, and bytes as text.
 */
export {
  capabilitiesOf,
  checkDataKeyName,
  checkKey,
  checkPage,
  checkPrefix,
  checkTtl,
  checkValue,
  MAX_KEY_BYTES,
  MAX_PAGE,
  MAX_TTL_MS,
  MAX_VALUE_BYTES,
  pageOf,
} from './checks.ts'
export { columnOf } from './sql-rows.ts'
export { checkBinding, type StoreCallOptions, StoreCalls } from './store-calls.ts'
export { bytesOfText, MAX_TEXT_LENGTH } from './text-values.ts'
export { type TimedValue, TimedValues } from './timed-values.ts'
