/** Our REST requests against those of `@upstash/redis`, and each reads what the other wrote. */
import assert from 'node:assert/strict'
import { isKmsError } from '../../../src/errors.ts'
import { RedisDataKeyStore, RedisKeyValueStore, redisOverHttp } from '../../../src/stores/index.ts'
import { clients, token, UpstashRedis } from './clients.mjs'
import { openRedisFront } from './http-front.mjs'

const bytes = new Uint8Array([0, 1, 254, 255])
const hour = { ttlMs: 3_600_000 }

/** Returns the form of a request as a server sees it. */
const shapeOf = ({ method, path, headers, body }) => ({
  method,
  path,
  authorization: headers['authorization'],
  type: headers['content-type'],
  body: JSON.parse(body).map(String),
})

export async function checkRestProtocol(check, front, place) {
  const url = front.url
  const store = (more = {}) =>
    new RedisKeyValueStore({
      command: redisOverHttp({ url, token, allowHttpLoopback: true, ...more }),
    })
  const official = new UpstashRedis({
    url,
    token,
    automaticDeserialization: false,
    enableAutoPipelining: false,
    enableTelemetry: false,
    retry: false,
  })
  const seenIn = async (work) => {
    const from = front.seen.length
    await work()
    return front.seen.slice(from).map(shapeOf)
  }

  await check('asks as @upstash/redis asks', async () => {
    const ours = await seenIn(async () => {
      await store().put('same', bytes, hour)
      await store().get('same')
      await store().compareAndSwap('same', undefined, bytes, hour)
      await store().delete('same')
    })
    const theirs = await seenIn(async () => {
      await official.set('edge-kms:same', 'AAH+/w==', { px: hour.ttlMs })
      await official.get('edge-kms:same')
      await official.set('edge-kms:same', 'AAH+/w==', { nx: true, px: hour.ttlMs })
      await official.del('edge-kms:same')
    })
    // The client writes options in lower case: Redis reads both.
    const lower = (shapes) =>
      shapes.map((shape) => ({ ...shape, body: shape.body.map((word) => word.toLowerCase()) }))
    const sorted = (shapes) => shapes.map((shape) => ({ ...shape, body: [...shape.body].sort() }))
    assert.deepEqual(sorted(lower(ours)), sorted(lower(theirs)))
  })
  await check('reads what @upstash/redis wrote, and is read by it', async () => {
    await official.set('edge-kms:theirs', 'AAH+/w==')
    assert.deepEqual(await store().get('theirs'), bytes)
    await store().put('ours', bytes, hour)
    assert.equal(await official.get('edge-kms:ours'), 'AAH+/w==')
  })
  await check('evaluates scripts as @upstash/redis does', async () => {
    const script = 'return redis.call("GET", KEYS[1]) == ARGV[1] and 1 or 0'
    const [theirs] = await seenIn(() => official.eval(script, ['edge-kms:ours'], ['AAH+/w==']))
    const [ours] = await seenIn(() => store().compareAndSwap('ours', bytes, bytes, hour))
    assert.deepEqual(theirs.body.slice(2, 5), ours.body.slice(2, 5))
    assert.equal(theirs.body[0].toLowerCase(), ours.body[0].toLowerCase())
  })
  await check('refuses a wrong token for good, and shows it to nobody', async () => {
    const wrong = 'a-wrong-token'
    await assert.rejects(store({ token: wrong }).get('any'), (error) => {
      assert.ok(isKmsError(error, 'ERR_STORE_UNAVAILABLE'))
      assert.equal(error.status, 401)
      assert.equal(error.retryable, false)
      assert.ok(!JSON.stringify([error, error.message, error.stack]).includes(wrong))
      return true
    })
  })
  await check('an answer that is cut off after the write leaves what was written', async () => {
    const direct = await clients['ioredis'](place)
    const cut = await openRedisFront(direct.command, {
      after: ([name]) => {
        if (name === 'EVAL' || name === 'SET') throw new Error('cut')
      },
    })
    try {
      const command = redisOverHttp({ url: cut.url, token, allowHttpLoopback: true })
      const cutStore = new RedisKeyValueStore({ command })
      const next = new Uint8Array([7])
      await assert.rejects(
        cutStore.compareAndSwap('ours', bytes, next, hour),
        (error) => isKmsError(error, 'ERR_STORE_UNAVAILABLE') && error.retryable,
      )
      assert.deepEqual(await store().get('ours'), next)
      const records = new RedisDataKeyStore({ command, prefix: '{cut}:' })
      const key = `ek1/${'a'.repeat(43)}`
      await assert.rejects(records.putIfAbsent(key, next))
      assert.deepEqual(await records.get(key), next)
      assert.deepEqual((await records.list(undefined, 5)).keys, [key])
    } finally {
      await cut.close()
      await direct.close()
    }
  })
}
