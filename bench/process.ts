/** The benchmark inside Node, Deno or Bun: bundled, and started with its task as arguments. */
import type { Peer } from './records.ts'
import { streamOnce } from './streams.ts'
import { type CaseResult, createSuite, planOf, runTurns } from './suite.ts'
import { compare } from './timing.ts'

const [task = '', streamBytes = '', mode = '', ...peerModules] = process.argv.slice(2)

async function timings(): Promise<void> {
  const suite = await createSuite(Number(streamBytes), await Promise.all(peerModules.map(load)))
  const cases: CaseResult[] = []
  for (const [at, info] of suite.infos.entries()) {
    const timings = await compare(
      async (side, turns) => {
        const start = performance.now()
        await runTurns(suite, at, side, turns)
        return performance.now() - start
      },
      info.sides,
      planOf(info, 12, 300),
    )
    cases.push({ ...info, timings })
    console.error(`  ${info.name}: ${timings['ours'].ratio.toFixed(2)}`)
  }
  console.log(JSON.stringify({ cases, counts: await suite.counts() }))
}

async function load(path: string): Promise<Peer> {
  const { newPeer } = (await import(path)) as { newPeer: () => Promise<Peer> }
  return newPeer()
}

/** The parent reads this process's memory between the two lines. */
async function memory(): Promise<void> {
  await streamOnce(mode, 65_536)
  console.log('start')
  await new Promise((resolve) => setTimeout(resolve, 300))
  await streamOnce(mode, Number(streamBytes))
  console.log('end')
}

await (task === 'memory' ? memory() : timings())
