/** Starts a rotation of every source. Workers do the rest. */
import { createPool, sourcesOf } from './environment.ts'
import { startBoss, startRotation } from './queue.ts'

const pool = createPool()
const boss = await startBoss()
for (const { name } of sourcesOf(pool)) {
  const isNew = await startRotation(boss, name)
  console.log(`${name}: ${isNew ? 'started' : 'is under way already'}`)
}
await boss.stop()
await pool.end()
