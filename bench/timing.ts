/** Milliseconds that this many turns of one side take, as the one who holds a real clock sees it. */
export type Elapsed = (side: string, turns: number) => Promise<number>

export interface Plan {
  readonly rounds: number
  /** How long the floor runs in one round. */
  readonly roundMs: number
  readonly warmUpMs: number
}

/** One side against the floor. */
export interface Timing {
  /** Milliseconds per turn, median over the rounds. */
  readonly ms: number
  /** Median of the rounds' ratios to the floor, and the quartiles around it. */
  readonly ratio: number
  readonly low: number
  readonly high: number
}

/**
 * Runs the sides by turns, so that what disturbs the machine disturbs all of them, and compares
 * round by round. The first side is the floor.
 */
export async function compare(
  elapsed: Elapsed,
  sides: readonly string[],
  plan: Plan,
): Promise<Readonly<Record<string, Timing>>> {
  const turns = await warmUp(elapsed, sides, plan)
  const times = new Map<string, number[]>(sides.map((side) => [side, []]))
  for (let round = 0; round < plan.rounds; round++) {
    // In the other order each time, because the second one runs into the garbage of the first.
    const order = round % 2 === 0 ? sides : sides.toReversed()
    for (const side of order) times.get(side)?.push((await elapsed(side, turns)) / turns)
  }
  const floor = times.get(sides[0]) ?? []
  const timings = [...times].map(([side, taken]) => {
    const ratios = taken.map((time, round) => time / floor[round])
    const [low, ratio, high] = [0.25, 0.5, 0.75].map((part) => quantile(ratios, part))
    return [side, { ms: quantile(taken, 0.5), ratio, low, high }]
  })
  return Object.fromEntries(timings) as Record<string, Timing>
}

/** Lets the compiler settle, and finds how many turns of the floor fill a round. */
async function warmUp(elapsed: Elapsed, sides: readonly string[], plan: Plan): Promise<number> {
  let turns = 1
  let spent = 0
  for (;;) {
    let floorMs = 0
    for (const side of sides) {
      const ms = await elapsed(side, turns)
      if (side === sides[0]) floorMs = ms
      spent += ms
    }
    const wanted = Math.max(1, Math.ceil((turns * plan.roundMs) / Math.max(floorMs, 0.01)))
    if (spent >= sides.length * plan.warmUpMs && floorMs >= plan.roundMs / 4) return wanted
    turns = Math.min(wanted, turns * 4)
  }
}

export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (sorted.length - 1) * part
  const low = sorted[Math.floor(at)]
  const high = sorted[Math.ceil(at)]
  return low + (high - low) * (at - Math.floor(at))
}
