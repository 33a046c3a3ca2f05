import { type CallCount, countCalls } from './counts.ts'
import { prefixCases } from './nonce-prefixes.ts'
import { type Peer, recordCases } from './records.ts'
import { streamCases } from './streams.ts'
import type { Plan, Timing } from './timing.ts'

/** The work of a side in one turn. */
export type Work = () => Promise<unknown>

/** One turn of each side does the same work; the floor does it with the platform's AEAD alone. */
export interface BenchCase {
  readonly name: string
  /** Operations in one turn, and plaintext bytes in one operation. */
  readonly operations: number
  readonly bytes: number
  readonly rounds: number
  /** Records: at most so many times the floor's time. Streams: at least this part of its speed. */
  readonly gate?: { readonly most: number } | { readonly least: number }
  /** `floor` first, then `ours`, then what is measured beside them, without a gate. */
  readonly sides: { readonly floor: Work; readonly ours: Work; readonly [other: string]: Work }
}

/** A case as it travels to the report. */
export interface CaseInfo extends Omit<BenchCase, 'sides'> {
  readonly sides: readonly string[]
}

export interface CaseResult extends CaseInfo {
  readonly timings: Readonly<Record<string, Timing>>
}

export interface Suite {
  readonly cases: readonly BenchCase[]
  readonly infos: readonly CaseInfo[]
  readonly counts: () => Promise<readonly CallCount[]>
}

export async function createSuite(streamBytes: number, peers: readonly Peer[]): Promise<Suite> {
  const cases = [
    ...(await recordCases(peers)),
    ...(await prefixCases()),
    ...(await streamCases(streamBytes)),
  ]
  const infos = cases.map((one) => ({ ...one, sides: Object.keys(one.sides) }))
  return { cases, infos, counts: countCalls }
}

export async function runTurns(
  suite: Suite,
  at: number,
  side: string,
  turns: number,
): Promise<void> {
  const { sides } = suite.cases[at]
  for (let i = 0; i < turns; i++) await sides[side]()
}

/** A large record or a stream fills its round with one turn. */
export function planOf({ rounds }: CaseInfo, roundMs: number, warmUpMs: number): Plan {
  return { rounds, roundMs, warmUpMs }
}
