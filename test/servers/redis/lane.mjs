/** Redis's part of the lane: the stores over each client, against Redis and against Valkey. */
import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { isKmsError } from '../../../src/errors.ts'
import { RedisDataKeyStore, RedisKeyValueStore } from '../../../src/stores/index.ts'
import { withServers } from '../../../tools/servers/with-servers.mjs'
import { linkOf } from '../../support/race/chain-step.ts'
import { killWriters, raceTwo } from '../../support/race/processes.ts'
import { clients } from './clients.mjs'
import { openRedisFront } from './http-front.mjs'
import { checkRestProtocol } from './rest-protocol.mjs'
import { checkSharedKeys } from './shared-keys.mjs'
import { checkStores } from '../lib/stores.mjs'

const names = ['redis', 'valkey']
const child = fileURLToPath(new URL('chain.child.mjs', import.meta.url))
const links = 150
const delaysMs = [0, 0, 1, 2, 5, 50]

async function checkContracts(check, command) {
  const values = () => new RedisKeyValueStore({ command })
  const records = () => new RedisDataKeyStore({ command, prefix: `{${crypto.randomUUID()}}:` })
  await checkStores(check, values, records)
}

async function checkRaces(check, command, args) {
  const store = new RedisKeyValueStore({ command })
  const program = { command: process.execPath, args: [child, ...args] }
  await check('two processes race: each link has one winner', async () => {
    const key = `race/${crypto.randomUUID()}`
    const { won, lost } = await raceTwo(program, key, links)
    console.log(`${args[0]}: ${won.join(' and ')} links won, ${lost} tries lost`)
  })
  await check('a process is killed in a write: before or after, never a third', async () => {
    const key = `crash/${crypto.randomUUID()}`
    const found = await killWriters(program, key, () => linkOf(store, key), delaysMs)
    console.log(`${args[0]}: ${found.before} writes did not arrive, ${found.after} did`)
  })
}

/** A server that would lose records is refused before the first write. */
async function checkDurability(check, command) {
  const prefix = `{${crypto.randomUUID()}}:`
  const key = `ek1/${'d'.repeat(43)}`
  const record = new Uint8Array([1])
  const config = (name, value) =>
    command(['CONFIG', 'SET', name, value], { signal: new AbortController().signal })
  const refuses = async () => {
    const store = new RedisDataKeyStore({ command, prefix })
    await assert.rejects(store.putIfAbsent(key, record), (e) => isKmsError(e, 'ERR_KMS_CONFIG'))
    assert.equal(await store.get(key), undefined)
  }
  await check('data-key store refuses a server without an append-only file', async () => {
    await config('appendonly', 'no')
    try {
      await refuses()
    } finally {
      await config('appendonly', 'yes')
    }
  })
  await check('data-key store refuses a server that evicts records', async () => {
    await config('maxmemory-policy', 'allkeys-lru')
    await config('maxmemory', '100mb')
    try {
      await refuses()
      const declared = new RedisDataKeyStore({ command, prefix, durability: 'declared' })
      assert.equal(await declared.putIfAbsent(key, record), true)
      await config('maxmemory-policy', 'volatile-lru')
      const store = new RedisDataKeyStore({ command, prefix })
      assert.equal(await store.compareAndSwap(key, record, record), true)
    } finally {
      await config('maxmemory', '0')
      await config('maxmemory-policy', 'noeviction')
    }
  })
}

async function checkServer({ name, port }, report) {
  const direct = await clients['ioredis']({ port, frontUrl: '' })
  const front = await openRedisFront(direct.command)
  const place = { port, frontUrl: front.url }
  try {
    // Valkey is here for its answers; races and clients are the same to it.
    for (const client of name === 'valkey' ? ['node-redis'] : Object.keys(clients)) {
      const { command, close } = await clients[client](place)
      const check = (what, work) => report.check(`redis/${name} over ${client} ${what}`, work)
      await checkContracts(check, command)
      const args = [client, String(port), front.url]
      if (name === 'redis') await checkRaces(check, command, args)
      if (name === 'redis') await checkSharedKeys(check, command, args)
      if (client !== 'http') await checkDurability(check, command)
      await close()
    }
    const check = (what, work) => report.check(`redis/${name} over http ${what}`, work)
    await checkRestProtocol(check, front, place)
  } finally {
    await front.close()
    await direct.close()
  }
}

/** @param {{ report: ReturnType<typeof import('../lib/report.mjs').createReport>, only?: readonly string[] }} options */
export async function runLane({ report, only = names }) {
  await withServers(only, async (servers, missing) => {
    for (const { name, reason } of missing) report.skip(`redis/${name}`, reason)
    for (const server of Object.values(servers)) await checkServer(server, report)
  })
}
