import { type EncryptionContext, KmsError, parseContextJson } from '../../src/index.ts'
import { GatewayError } from './problem.ts'

/** The headers of the two maps. */
const MAPS = { context: 'edge-kms-context', aad: 'edge-kms-aad' } as const
/** Names that look like one of ours: servers take `_` or `.` for `-`, proxies add prefixes, and callers misspell. */
const OURS = /edge[-_.]*km|kms[-_.]*(?:context|aad)/
/** The longest map that the format allows, with every byte as an escape, is shorter. */
const MAX_HEADER_CHARACTERS = 65_536

/** Which of the maps a route takes. */
export type MapName = keyof typeof MAPS

/**
 * Returns the maps that a request carries, each a JSON object of strings in ASCII.
 *
 * @throws KmsError `ERR_CONTEXT_INVALID`
 * @throws GatewayError for a header or a query that would otherwise be ignored in silence
 */
export function readMaps(
  { headers }: Request,
  url: URL,
  taken: readonly MapName[],
): { readonly context?: EncryptionContext; readonly aad?: EncryptionContext } {
  refuseUnknown(headers, url, taken)
  const maps: Partial<Record<MapName, EncryptionContext>> = {}
  for (const name of taken) {
    const text = headers.get(MAPS[name])
    if (text !== null) maps[name] = parseMap(text)
  }
  return maps
}

function parseMap(text: string): EncryptionContext {
  // Platforms disagree on how other bytes of a header become text: two readers, two contexts.
  if (!/^[\t\x20-\x7e]*$/.test(text)) {
    throw invalid('a context or aad header holds ASCII only: write other characters as \\uXXXX')
  }
  if (text.length > MAX_HEADER_CHARACTERS) throw invalid('a context or aad header is too long')
  // HTTP joins two headers of one name with a comma: two whole maps are then no JSON, and are refused.
  return parseContextJson(text)
}

/** A misspelt header would encrypt under another context than the caller believes. */
function refuseUnknown(headers: Headers, url: URL, taken: readonly MapName[]): void {
  const known = taken.map((name): string => MAPS[name])
  for (const [name] of headers) {
    if (!OURS.test(name) || known.includes(name)) continue
    const detail = `of the headers whose names are like Edge-Kms, this route takes ${known.join(' and ') || 'none'}`
    throw new GatewayError('ERR_GATEWAY_BAD_REQUEST', { detail })
  }
  if (url.search !== '') {
    const detail = 'context and aad travel as headers: this route takes no query'
    throw new GatewayError('ERR_GATEWAY_BAD_REQUEST', { detail })
  }
}

function invalid(message: string): KmsError {
  return new KmsError('ERR_CONTEXT_INVALID', { message })
}
