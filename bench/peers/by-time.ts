import { quantile } from '../timing.ts'

/** Returns the milliseconds that this many turns of a side take. */
export type Elapsed = (side: string, turns: number) => Promise<number>

/** One side beside the first one. */
export interface Figure {
  /** Microseconds of one turn, median over the rounds. */
  readonly us: number
  /** Median of the rounds' ratios to the first side, and the quartiles around it. */
  readonly ratio: number
  readonly low: number
  readonly high: number
}

/**
 * Runs sides by turns, each for about the same time in each round: the slowest is hundreds of times slower than the
 * fastest. Noise of the machine disturbs all sides of a round.
 */
export async function compareByTime(
  elapsed: Elapsed,
  sides: readonly string[],
  { rounds, roundMs }: { readonly rounds: number; readonly roundMs: number },
): Promise<Readonly<Record<string, Figure>>> {
  const turns = new Map<string, number>()
  for (const side of sides) turns.set(side, await turnsFor(elapsed, side, roundMs))
  const taken = new Map<string, number[]>(sides.map((side) => [side, []]))
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? sides : sides.toReversed()
    for (const side of order) {
      const count = turns.get(side) ?? 1
      taken.get(side)?.push(((await elapsed(side, count)) / count) * 1_000)
    }
  }
  const first = taken.get(sides[0] ?? '') ?? []
  return Object.fromEntries(
    [...taken].map(([side, us]) => {
      const ratios = us.map((time, round) => time / (first[round] ?? time))
      const [low = 0, ratio = 0, high = 0] = [0.25, 0.5, 0.75].map((part) => quantile(ratios, part))
      return [side, { us: quantile(us, 0.5), ratio, low, high }]
    }),
  )
}

/** Returns how many turns fill a round, after the compiler has settled. */
async function turnsFor(elapsed: Elapsed, side: string, roundMs: number): Promise<number> {
  let turns = 1
  for (;;) {
    const ms = await elapsed(side, turns)
    const wanted = Math.max(1, Math.round((turns * roundMs) / Math.max(ms, 0.01)))
    if (ms >= roundMs / 3 || turns >= 100_000) return wanted
    turns = Math.min(wanted, turns * 4)
  }
}
