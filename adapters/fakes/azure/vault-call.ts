import type { JsonObject } from '../../../src/http/index.ts'
import type { CallRecord } from './calls.ts'
import type { KeyStore } from './key-store.ts'
import type { FakeAzureDefect } from './options.ts'

/** One call to a vault, after its caller was let in. */
export interface VaultCall {
  readonly keys: KeyStore
  readonly defects: ReadonlySet<FakeAzureDefect>
  readonly input: JsonObject
  readonly query: URLSearchParams
  readonly record: CallRecord
  readonly nowMs: number
}
