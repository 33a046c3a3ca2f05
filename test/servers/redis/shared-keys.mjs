/** The shared level of the cache over a real Redis: many caches that start cold, and a holder that is killed. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { coldCaches, commitmentsOf } from './cold-caches.mjs'

const child = fileURLToPath(new URL('lease.child.mjs', import.meta.url))
const caches = 300
const leaseMs = 3_000

/** Checks that cost one key for all, whatever client is between. */
export async function checkSharedKeys(check, command, args) {
  await check(`R18 ${caches} cold caches cost 1 GenerateDataKey and one unwrap each`, async () => {
    const partition = crypto.randomUUID()
    const { keys, calls } = coldCaches({ command, partition, caches })
    assert.equal((await commitmentsOf(keys)).size, 1)
    assert.deepEqual(calls, { generateDataKey: 1, unwrapDataKey: caches - 1 })
    assert.equal(
      keys.reduce((sum, cache) => sum + cache.stats().storeFailures, 0),
      0,
    )
  })
  await check('R18 a process is killed with the lease: exactly one takes over', async () => {
    const partition = crypto.randomUUID()
    const holder = spawn(process.execPath, [child, ...args, partition, String(leaseMs)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const exited = once(holder, 'exit')
    // It says so when it has the lease and asks its KMS, which never answers.
    await once(holder.stdout, 'data')
    holder.kill('SIGKILL')
    await exited
    const { keys, calls } = coldCaches({ command, partition, caches: 20, leaseMs })
    assert.equal((await commitmentsOf(keys)).size, 1)
    assert.deepEqual(calls, { generateDataKey: 1, unwrapDataKey: 19 })
    assert.equal(keys.filter((cache) => cache.stats().leases === 1).length, 1)
  })
}
