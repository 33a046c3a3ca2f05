import { type CallCount, countCalls } from './counts.ts'
import { recordCases } from './records.ts'
import { streamCases } from './streams.ts'
import type { Plan, Side, Timing } from './timing.ts'

/** One turn of each side does the same work, the floor with the platform's AEAD alone. */
export interface BenchCase {
  readonly name: string
  /** Operations in one turn, and plaintext bytes in one operation. */
  readonly operations: number
  readonly bytes: number
  readonly rounds: number
  /** Records: at most so many times the floor's time. Streams: at least this part of its speed. */
  readonly gate: { readonly most: number } | { readonly least: number }
  readonly ours: () => Promise<unknown>
  readonly floor: () => Promise<unknown>
}

/** A case as it travels to the report. */
export type CaseInfo = Omit<BenchCase, 'ours' | 'floor'>

export interface CaseResult extends CaseInfo, Timing {}

export interface RuntimeResult {
  readonly cases: readonly CaseResult[]
  readonly counts: readonly CallCount[]
}

export interface Suite {
  readonly cases: readonly BenchCase[]
  readonly infos: readonly CaseInfo[]
  readonly counts: () => Promise<readonly CallCount[]>
}

export async function createSuite(streamBytes: number): Promise<Suite> {
  const cases = [...(await recordCases()), ...(await streamCases(streamBytes))]
  const infos = cases.map(({ name, operations, bytes, rounds, gate }) => {
    return { name, operations, bytes, rounds, gate }
  })
  return { cases, infos, counts: countCalls }
}

export async function runTurns(suite: Suite, at: number, side: Side, turns: number): Promise<void> {
  const work = suite.cases[at]?.[side]
  if (work === undefined) throw new RangeError('no such case')
  for (let i = 0; i < turns; i++) await work()
}

/** A large record or a stream fills its round with one turn. */
export function planOf({ rounds }: CaseInfo, roundMs: number, warmUpMs: number): Plan {
  return { rounds, roundMs, warmUpMs }
}
