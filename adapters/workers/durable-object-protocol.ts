import type { JsonObject } from '../../src/http/index.ts'

/** A request to the object: one JSON object by POST, bytes as base64. */
export type ObjectRequest =
  | { readonly op: 'get'; readonly key: string }
  | { readonly op: 'put'; readonly key: string; readonly value: string; readonly ttlMs: number }
  | {
      readonly op: 'swap'
      readonly key: string
      /** Absent: the key must be free. */
      readonly expected?: string
      readonly value: string
      readonly ttlMs: number
    }
  | { readonly op: 'delete'; readonly key: string }
  | { readonly op: 'record-get'; readonly key: string }
  | { readonly op: 'record-put'; readonly key: string; readonly value: string }
  | {
      readonly op: 'record-swap'
      readonly key: string
      readonly expected: string
      readonly value: string
    }
  | { readonly op: 'record-delete'; readonly key: string }
  | { readonly op: 'record-list'; readonly cursor: string; readonly limit: number }

/** The object's answer, with status 200; a request that is not of this protocol gets 400. */
export interface ObjectAnswer extends JsonObject {
  /** The value that was found; absent if there is none. */
  readonly value?: unknown
  /** Whether it was written. */
  readonly done?: unknown
  readonly keys?: unknown
}
