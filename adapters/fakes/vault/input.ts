import { type Bytes, decodeUtf8 } from '../../../src/bytes/index.ts'
import type { JsonObject } from '../../../src/http/index.ts'
import { decodeGoBase64 } from './base64.ts'
import { Refusal } from './refusal.ts'
import type { TransitBinding } from './transit-cipher.ts'

/** The body as an object; none is an empty one. @throws Refusal 400 */
export function readInput(body: Bytes): JsonObject {
  if (body.length === 0) return {}
  try {
    const value: unknown = JSON.parse(decodeUtf8(body) ?? '')
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as JsonObject
  } catch {
    // Said below.
  }
  throw new Refusal(400, 'failed to parse JSON input')
}

/** A parameter as text, empty where it is absent. */
export function textOf(input: JsonObject, name: string): string {
  const value = Object.hasOwn(input, name) ? input[name] : undefined
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : ''
}

/** The items of `batch_input`, or `undefined` where it is absent. @throws Refusal 400 */
export function batchOf(input: JsonObject): readonly JsonObject[] | undefined {
  const batch = input['batch_input']
  if (batch === undefined || batch === null) return undefined
  if (!Array.isArray(batch) || batch.length === 0)
    throw new Refusal(400, 'missing batch input to process')
  const items = batch as readonly JsonObject[]
  const withContext = items.filter((item) => textOf(item, 'context') !== '').length
  if (withContext !== 0 && withContext !== items.length)
    throw new Refusal(400, 'context should be set either in all the request blocks or in none')
  return items
}

/** Returns the binding of an item. Vault itself fails for associated data that is not base64. @throws Refusal */
export function bindingOf(input: JsonObject): TransitBinding {
  const context = decodeGoBase64(textOf(input, 'context'))
  if (context === undefined) throw new Refusal(400, 'failed to base64-decode context')
  const associatedData = decodeGoBase64(textOf(input, 'associated_data'))
  if (associatedData === undefined)
    throw new Refusal(
      500,
      'unable to get associated_data/additional_data from factory[0]: illegal base64 data at input byte 0',
    )
  return { context, associatedData }
}
