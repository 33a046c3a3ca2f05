import type { HttpResponse } from './transport.ts'

/** Longest wait that a server may ask for; longer ones are cut. */
const MAX_MS = 300_000

/**
 * Returns Retry-After (RFC 9110 section 10.2.3) in milliseconds, in either of its two forms, or
 * `undefined` if it is absent or malformed.
 */
export function retryAfterMs(headers: HttpResponse['headers'], nowMs: number): number | undefined {
  const value = headers.get('retry-after')?.trim() ?? ''
  const ms = /^\d{1,9}$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - nowMs
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(0, ms), MAX_MS)
}
