/** The measurement inside Node: bundled, and started by run.mjs. */
import { quantile } from '../timing.ts'
import { AT_ONCE, bareSide, wholeSide, worksOf } from './sides.ts'

/** Operations times 64 in one round of one side: short, so that what disturbs one disturbs the other. */
const TURNS = 20
const WARM_UP_ROUNDS = 40

interface Figures {
  readonly wallUs: number
  readonly cpuUs: number
}

async function timed(work: () => Promise<unknown>): Promise<Figures> {
  const [cpu, start] = [process.cpuUsage(), performance.now()]
  for (let i = 0; i < TURNS; i++) await work()
  const [ms, { user, system }] = [performance.now() - start, process.cpuUsage(cpu)]
  const operations = TURNS * AT_ONCE
  return { wallUs: (ms * 1_000) / operations, cpuUs: (user + system) / operations }
}

const rounds = Number(process.argv[2])
const [bare, whole] = [bareSide(), wholeSide()]
const [floor, ours] = [await worksOf(bare), await worksOf(whole)]
const before = bare.calls() + whole.calls()
const results: unknown[] = []
for (const verb of ['encrypt', 'decrypt'] as const) {
  const taken: { readonly without: Figures; readonly with: Figures }[] = []
  for (let i = 0; i < WARM_UP_ROUNDS + rounds; i++) {
    // By turns, in the other order each time, because the second one runs into the garbage of the first.
    const first = await timed(i % 2 === 0 ? floor[verb] : ours[verb])
    const second = await timed(i % 2 === 0 ? ours[verb] : floor[verb])
    taken.push(i % 2 === 0 ? { without: first, with: second } : { without: second, with: first })
  }
  const measured = taken.slice(WARM_UP_ROUNDS)
  const of = (side: 'without' | 'with', what: keyof Figures): number[] =>
    measured.map((round) => round[side][what])
  const added = (what: keyof Figures): number[] => {
    const differences = measured.map((round) => round.with[what] - round.without[what])
    return [0.25, 0.5, 0.75].map((part) => quantile(differences, part))
  }
  results.push({
    verb,
    withoutUs: quantile(of('without', 'wallUs'), 0.5),
    withUs: quantile(of('with', 'wallUs'), 0.5),
    addedUs: added('wallUs'),
    addedCpuUs: added('cpuUs'),
  })
}
console.log(JSON.stringify({ results, calls: bare.calls() + whole.calls() - before }))
