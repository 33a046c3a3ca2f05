import { plainOptions } from '../../src/checks/index.ts'
import type { KeyValueCapabilities, Runtime } from '../../src/ports/index.ts'
import { webRuntime } from '../../src/runtime/index.ts'
import {
  capabilitiesOf,
  checkKey,
  checkPrefix,
  MAX_KEY_BYTES,
  type StoreCallOptions,
  StoreCalls,
  TimedValues,
} from '../../src/stores/index.ts'

/** Options of a store that is eventual and cannot compare and swap. */
export interface EventualStoreOptions extends StoreCallOptions {
  /** Prefix of every key; none by default. */
  readonly prefix?: string
  readonly runtime?: Runtime
}

/** Parts of such a store. */
export interface EventualParts {
  readonly capabilities: KeyValueCapabilities
  readonly calls: StoreCalls
  readonly values: TimedValues
  /** Returns the key with its prefix. @throws TypeError, RangeError */
  readonly nameOf: (key: string) => string
}

/**
 * Returns the parts of an eventual store.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function eventualParts(backend: string, options: EventualStoreOptions): EventualParts {
  const { prefix = '', runtime = webRuntime, ...common } = plainOptions(options)
  checkPrefix(prefix)
  const capabilities = capabilitiesOf({
    consistency: 'eventual',
    compareAndSwap: false,
    maxKeyBytes: MAX_KEY_BYTES - prefix.length,
  })
  return {
    capabilities,
    calls: new StoreCalls(backend, common),
    values: new TimedValues(runtime, capabilities.maxValueBytes),
    nameOf: (key) => prefix + checkKey(key, capabilities.maxKeyBytes),
  }
}
