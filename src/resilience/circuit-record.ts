import { type Bytes, decodeUtf8, encodeUtf8 } from '../bytes/index.ts'
import type { CircuitBucket, CircuitRules, CircuitWindow } from './circuit-window.ts'

/** The news of an isolate about a circuit. Advice: it may be old, lost or forged. */
export interface CircuitAdvice {
  readonly phase: 'open' | 'closed'
  /** When it was written, by the writer's clock. */
  readonly atMs: number
}

/** The record of one circuit in the store: the last advice, and the calls that were counted since. */
export interface CircuitRecord {
  readonly advice: CircuitAdvice | undefined
  /** Empty while the circuit is open. */
  readonly window: CircuitWindow
}

/** Our records are shorter. */
const MAX_RECORD_BYTES = 768
const MAX_BUCKETS = 16
const MAX_CALLS = 1_000_000_000

/** Returns the bytes of a record. A clock may count parts of a millisecond, and a reader takes whole ones only. */
export function encodeCircuit(
  { advice, window }: CircuitRecord,
  { windowMs }: CircuitRules,
): Bytes {
  const told = advice && { phase: advice.phase, atMs: Math.floor(advice.atMs) }
  const counted = window.map(({ n, calls, failures }) => [n, calls, failures])
  return encodeUtf8(
    JSON.stringify({ v: 1, ...told, ...(counted.length > 0 && { windowMs, counted }) }),
  )
}

/** Returns the record in some bytes. Of anything that is not one, nothing is believed. */
export function circuitIn(bytes: Bytes | undefined, rules: CircuitRules): CircuitRecord {
  const nothing: CircuitRecord = { advice: undefined, window: [] }
  if (bytes === undefined || bytes.length > MAX_RECORD_BYTES) return nothing
  try {
    const found = Object(JSON.parse(decodeUtf8(bytes) ?? '')) as Readonly<Record<string, unknown>>
    if (found['v'] !== 1) return nothing
    // A window of other rules is divided otherwise.
    const isOurs = found['windowMs'] === rules.windowMs
    return { advice: adviceOf(found), window: isOurs ? windowOf(found['counted']) : [] }
  } catch {
    return nothing
  }
}

/** Returns whether two records have the same advice, whatever was counted. */
export function sameAdvice(a: CircuitRecord, b: CircuitRecord): boolean {
  return a.advice?.phase === b.advice?.phase && a.advice?.atMs === b.advice?.atMs
}

function adviceOf({ phase, atMs }: Readonly<Record<string, unknown>>): CircuitAdvice | undefined {
  const isPhase = phase === 'open' || phase === 'closed'
  return isPhase && Number.isSafeInteger(atMs) ? { phase, atMs: atMs as number } : undefined
}

function windowOf(counted: unknown): CircuitWindow {
  if (!Array.isArray(counted) || counted.length > MAX_BUCKETS) return []
  const window = counted.map((one: unknown): CircuitBucket | undefined => {
    const [n, calls, failures] = (Array.isArray(one) ? one : []) as readonly number[]
    const isBucket = [n, calls, failures].every((number) => Number.isSafeInteger(number))
    if (!isBucket || n === undefined || calls === undefined || failures === undefined) return
    if (failures < 0 || failures > calls || calls > MAX_CALLS) return
    return { n, calls, failures }
  })
  return window.every((bucket) => bucket !== undefined) ? window : []
}
