import { type Bytes, decodeUtf8 } from '../bytes/index.ts'
import { KmsError } from '../errors.ts'
import type { CallFacts } from './transport.ts'

/** A JSON object whose fields are not trusted yet. */
export type JsonObject = Readonly<Record<string, unknown>>

/** Returns the object in a body, or `undefined` if there is none. */
export function parseJsonObject(body: Bytes): JsonObject | undefined {
  const text = decodeUtf8(body)
  if (text === undefined) return undefined
  try {
    const value: unknown = JSON.parse(text)
    // An array has no fields that are read here.
    return Object(value) === value ? (value as JsonObject) : undefined
  } catch {
    return undefined
  }
}

/**
 * Returns a string field of an answer.
 *
 * @throws KmsError `ERR_KMS_RESPONSE_INVALID`
 */
export function stringField(answer: JsonObject, name: string, facts?: CallFacts): string {
  const value = Object.hasOwn(answer, name) ? answer[name] : undefined
  if (typeof value === 'string') return value
  throw new KmsError('ERR_KMS_RESPONSE_INVALID', { ...facts, message: `the answer has no ${name}` })
}
