/** The clients inside Node, Deno or Bun: a line of standard input is a turn, a line out its cost. */
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { createNodeNetwork, nodeAwsSigner } from '../../adapters/node/index.ts'
import { type Calls, makeCalls, type Operation } from './calls.ts'
import * as aws from './sides/aws.ts'
import * as azure from './sides/azure.ts'
import * as gcp from './sides/gcp.ts'
import * as vault from './sides/vault.ts'

interface Turn {
  readonly side: string
  readonly operation: Operation
  readonly calls: number
  readonly atOnce: number
}

const vendors = { aws, azure, gcp, vault }
const [vendor = '', place = '', folder = ''] = process.argv.slice(2)
const { clientName, createSides } = vendors[vendor as 'aws']
const outer = createRequire(folder)
/** A module of the client's folder, or one that the client brings. */
const load = (name: string): unknown => {
  try {
    return outer(name)
  } catch {
    return createRequire(outer.resolve(clientName))(name)
  }
}
const adapter = { network: createNodeNetwork(), signer: nodeAwsSigner }
const sides = new Map(
  Object.entries<Calls>(await createSides(JSON.parse(place) as aws.Place, load, adapter)),
)
console.log(JSON.stringify([...sides.keys()]))

for await (const line of createInterface({ input: process.stdin })) {
  const { side, operation, calls, atOnce } = JSON.parse(line) as Turn
  const cpu = process.cpuUsage()
  const start = performance.now()
  const made = sides.get(side)
  if (made === undefined) throw new Error(`no side ${side}`)
  await makeCalls(made[operation], calls, atOnce)
  const ms = performance.now() - start
  const { user, system } = process.cpuUsage(cpu)
  console.log(JSON.stringify({ ms, cpuMs: (user + system) / 1_000 }))
}
