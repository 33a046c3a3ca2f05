/** Text for people: numbers, times, money, and names that others chose. */
import type { KekVersion } from '../../kms/index.ts'
import { versionName } from '../staleness.ts'

/** Characters that show nothing, end a line, or turn the direction of what follows. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu

/**
 * Returns a name on one line, cut to a number of characters: record ids are chosen by others, and may hold escape
 * sequences of terminals or characters that reverse text.
 */
export function safeName(name: string, most: number): string {
  const codeOf = (one: string): string => (one.codePointAt(0) ?? 0).toString(16)
  const visible = name.slice(0, most * 2 + 2).replaceAll(HIDDEN, (one) => `\\u{${codeOf(one)}}`)
  const all = Array.from(visible)
  return all.length > most ? `${all.slice(0, most - 1).join('')}…` : visible
}

/** Returns a version on one line, e.g. `local app 2`. */
export function safeVersion(version: KekVersion): string {
  return safeName(versionName(version), 120)
}

const WHOLE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })
const SHORT = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 })
const RATE = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 3 })

/** Returns an integer with groups of thousands. */
export function whole(value: number): string {
  return WHOLE.format(value)
}

/** Returns a number that fits beside an axis, e.g. `1.5K`. */
export function short(value: number): string {
  return SHORT.format(value)
}

/** Returns a rate for each second; Infinity is `unlimited`. */
export function perSecond(value: number | null): string {
  // JSON has no Infinity: a plan that was stored has null in its place.
  if (value === null || !Number.isFinite(value)) return 'unlimited'
  return `${value >= 100 ? whole(value) : RATE.format(value)}/s`
}

/** Returns US dollars; an amount below a cent is not shown as 0. */
export function dollars(usd: number): string {
  if (usd === 0) return '$0'
  return usd < 0.01 ? 'under $0.01' : `$${usd.toFixed(2)}`
}

const UNITS = [
  { name: 'd', ms: 86_400_000 },
  { name: 'h', ms: 3_600_000 },
  { name: 'min', ms: 60_000 },
  { name: 's', ms: 1_000 },
  { name: 'ms', ms: 1 },
] as const

/** Returns the largest unit of which a duration has so many. */
export function unitOf(ms: number, least = 1): (typeof UNITS)[number] {
  return UNITS.find((unit) => ms >= unit.ms * least) ?? { name: 'ms', ms: 1 }
}

/** Returns a duration in one unit with up to three digits, e.g. `2.5 min`. */
export function duration(ms: number): string {
  const unit = unitOf(ms)
  return `${RATE.format(ms / unit.ms)} ${unit.name}`
}

/** Returns a moment in UTC, to the second. */
export function moment(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`
}
