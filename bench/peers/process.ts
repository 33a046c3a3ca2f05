/** The comparison inside Node, Deno or Bun: bundled, and started with its task as arguments. */
import process from 'node:process'
import { compareByTime } from './by-time.ts'
import { type Peer, peerCases, runSide } from './records.ts'
import { streamOf, streamSides } from './streams.ts'

const [task = '', rounds = '', roundMs = '', bytes = '', ...modules] = process.argv.slice(2)

async function peersOf(): Promise<{
  readonly peers: Peer[]
  readonly missing: Record<string, string>
}> {
  const peers: Peer[] = []
  const missing: Record<string, string> = {}
  for (const path of modules) {
    try {
      const { newPeers } = (await import(path)) as { newPeers: () => Promise<Peer[]> }
      const made = await newPeers()
      // A peer that loads may still not work here.
      for (const peer of made)
        await peer.decrypt((await peer.encrypt(new Uint8Array([97]))) as never)
      peers.push(...made)
    } catch (error) {
      const name = /(\w+)\.mjs$/.exec(path)?.[1] ?? path
      missing[name] = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
    }
  }
  return { peers, missing }
}

const plan = { rounds: Number(rounds), roundMs: Number(roundMs) }

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

async function records(): Promise<void> {
  const { peers, missing } = await peersOf()
  const rows: object[] = []
  for (const one of await peerCases(peers)) {
    const elapsed = (side: string, turns: number) => timed(() => runSide(one, side, turns))
    const figures = await compareByTime(elapsed, [...one.sides.keys()], plan)
    const { name, verb, atOnce } = one
    rows.push({ name, verb, bytes: one.bytes, atOnce, figures })
    console.error(`  ${name}: ${figures['edge-kms'].ratio.toFixed(2)}`)
  }
  console.log(JSON.stringify({ rows, missing }))
}

async function streams(): Promise<void> {
  const sides = await streamSides(Number(bytes), modules[0])
  const elapsed = async (side: string, turns: number) => {
    const ms = await timed(async () => {
      for (let i = 0; i < turns; i++) await sides.get(side)?.()
    })
    return ms
  }
  const figures = await compareByTime(elapsed, [...sides.keys()], { ...plan, roundMs: 1 })
  console.log(JSON.stringify({ bytes: Number(bytes), figures }))
}

/** The parent reads this process's memory between the two lines. */
async function memory(): Promise<void> {
  const side = await streamOf(modules[1] ?? '', Number(bytes), modules[0])
  console.log('start')
  await new Promise((resolve) => setTimeout(resolve, 300))
  await side()
  console.log('end')
}

const tasks: Record<string, () => Promise<void>> = { records, streams, memory }
await tasks[task]()
