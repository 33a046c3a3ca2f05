import type { JsonObject } from '../../../src/http/index.ts'
import { Refusal } from './errors.ts'
import type { KmsCall } from './kms-service.ts'

/** How long a page is by default, and at most. */
export interface PageRules {
  readonly usual: number
  readonly most: number
}

/**
 * Returns one page of rows, with the marker of the next page if there is one.
 *
 * @throws Refusal `validation`, `invalidMarker` for a marker that no page has
 */
export function pageOf(
  { input }: KmsCall,
  name: string,
  rows: readonly JsonObject[] | readonly string[],
  { usual, most }: PageRules,
): JsonObject {
  const limit = input.optionalInteger('Limit', { min: 1, max: most }) ?? usual
  const marker = input.optionalText('Marker', {
    min: 1,
    max: 1_024,
    pattern: /^[\u0020-\u00ff]*$/,
  })
  if (marker !== undefined && !/^[1-9]\d{0,8}$/.test(marker)) throw new Refusal('invalidMarker')
  const start = Number(marker ?? 0)
  const end = start + limit
  const isCut = end < rows.length
  return {
    [name]: rows.slice(start, end),
    Truncated: isCut,
    ...(isCut && { NextMarker: String(end) }),
  }
}
