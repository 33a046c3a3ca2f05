/** Which of the two sides of a measurement runs. */
export type Side = 'ours' | 'floor'

/** Milliseconds that this many turns of one side take, as the one who holds a real clock sees it. */
export type Elapsed = (side: Side, turns: number) => Promise<number>

export interface Plan {
  readonly rounds: number
  /** How long one side runs in one round. */
  readonly roundMs: number
  readonly warmUpMs: number
}

export interface Timing {
  /** Milliseconds per turn, medians over the rounds. */
  readonly ours: number
  readonly floor: number
  /** Median of the rounds' ratios, and the quartiles around it. */
  readonly ratio: number
  readonly low: number
  readonly high: number
  readonly rounds: number
}

/** Runs both sides by turns, so that what disturbs the machine disturbs both, and compares round by round. */
export async function compare(elapsed: Elapsed, plan: Plan): Promise<Timing> {
  const turns = await warmUp(elapsed, plan)
  const ours: number[] = []
  const floor: number[] = []
  for (let i = 0; i < plan.rounds; i++) {
    ours.push((await elapsed('ours', turns)) / turns)
    floor.push((await elapsed('floor', turns)) / turns)
  }
  const ratios = ours.map((time, i) => time / (floor[i] as number))
  return {
    ours: quantile(ours, 0.5),
    floor: quantile(floor, 0.5),
    ratio: quantile(ratios, 0.5),
    low: quantile(ratios, 0.25),
    high: quantile(ratios, 0.75),
    rounds: plan.rounds,
  }
}

/** Lets the compiler settle, and finds how many turns of the floor fill a round. */
async function warmUp(elapsed: Elapsed, plan: Plan): Promise<number> {
  let turns = 1
  let spent = 0
  for (;;) {
    spent += await elapsed('ours', turns)
    const time = await elapsed('floor', turns)
    spent += time
    const wanted = Math.max(1, Math.ceil((turns * plan.roundMs) / Math.max(time, 0.01)))
    if (spent >= 2 * plan.warmUpMs && time >= plan.roundMs / 4) return wanted
    turns = Math.min(wanted, turns * 4)
  }
}

export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (sorted.length - 1) * part
  const low = sorted[Math.floor(at)] as number
  const high = sorted[Math.ceil(at)] as number
  return low + (high - low) * (at - Math.floor(at))
}
