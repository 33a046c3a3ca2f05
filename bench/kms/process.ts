/** The clients inside Node, Deno or Bun: a line of standard input is a turn, a line out its cost. */
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { createNodeNetwork, nodeAwsSigner } from '../../adapters/node/index.ts'
import { createSides, makeCalls, type Operation, type Place, type Sdk, type Side } from './sides.ts'

interface Turn {
  readonly side: Side
  readonly operation: Operation
  readonly calls: number
  readonly atOnce: number
}

const [place = '', folder = ''] = process.argv.slice(2)
const sdk = createRequire(folder)('@aws-sdk/client-kms') as Sdk
const adapter = { network: createNodeNetwork(), signer: nodeAwsSigner }
const sides = await createSides(JSON.parse(place) as Place, sdk, adapter)

for await (const line of createInterface({ input: process.stdin })) {
  const { side, operation, calls, atOnce } = JSON.parse(line) as Turn
  const cpu = process.cpuUsage()
  const start = performance.now()
  const made = sides[side]
  if (made === undefined) throw new Error(`no side ${side}`)
  await makeCalls(made[operation], calls, atOnce)
  const ms = performance.now() - start
  const { user, system } = process.cpuUsage(cpu)
  console.log(JSON.stringify({ ms, cpuMs: (user + system) / 1_000 }))
}
