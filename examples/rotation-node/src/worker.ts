/** A worker: start as many as you like. SIGTERM ends it after the step that it makes. */
import { createPool, createStack, sourcesOf } from './environment.ts'
import { jobSeconds, startBoss } from './queue.ts'
import { work } from './work.ts'

const { kms } = createStack()
const pool = createPool()
const boss = await startBoss()
await work(boss, kms, sourcesOf(pool))
console.log('working')

async function stop(): Promise<void> {
  await boss.stop({ graceful: true, timeout: jobSeconds() * 1_000 })
  await pool.end()
  process.exit(0)
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop())
