/** A process that takes the lease and never ends its work: `<client> <port> <front url> <partition> <lease ms>`. */
import process from 'node:process'
import { clients } from './clients.mjs'
import { coldCaches, commitmentsOf } from './cold-caches.mjs'

const [name, port, frontUrl, partition, leaseMs] = process.argv.slice(2)
const { command } = await clients[name]({ port: Number(port), frontUrl })
const before = () => {
  process.stdout.write('at work')
  setInterval(() => undefined, 1_000) // it is killed: it must not end by itself
  return new Promise(() => undefined)
}
await commitmentsOf(
  coldCaches({ command, partition, caches: 1, leaseMs: Number(leaseMs), before }).keys,
)
