/** A minute without a KMS, and what is in memory serves; links that break again and again; answers cut at any byte. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { createMessage, demandSame, openStack, outcomeOf } from './stack.mjs'

const SECONDS = 60
const TENANTS = 8
const RESET_MS = 40_000
/** Calls of the KMS in that minute: three open each of two circuits, each then probes every 30 s or so. */
const MOST_CALLS = 2 * (3 + 3)

/**
 * The network is cut, and stays so until the end; by the clock of the stack that is a minute, in which
 * every key passes its `ttlMs`. With `realTime` the minute is one of the wall clock as well.
 *
 * @param {import('./toxiproxy.mjs').Proxy} proxy @param {() => any} newKms @param {boolean} realTime
 */
export async function serveThroughBlackout(proxy, newKms, realTime) {
  await proxy.heal()
  const stack = openStack(newKms(), { cache: { ttlMs: 30_000, maxStaleMs: 60_000 } })
  const keys = stack.cipher()
  const written = []
  const encrypt = async (/** @type {string} */ tenant) => {
    const message = createMessage(tenant)
    const envelope = await keys.encrypt(message.plaintext, message.options)
    written.push({ ...message, envelope })
  }
  const tenants = Array.from({ length: TENANTS }, (_, i) => `tenant-${i}`)
  for (const tenant of tenants) await encrypt(tenant)
  const first = [...written]

  await proxy.cut()
  const before = stack.calls()
  const refused = new Map()
  for (let second = 0; second < SECONDS; second++) {
    for (const tenant of tenants) await encrypt(tenant)
    for (const { envelope, options, plaintext } of first)
      demandSame(await keys.decrypt(envelope, options), plaintext)
    const { plaintext, options } = createMessage()
    const { code } = await outcomeOf(keys.encrypt(plaintext, options))
    refused.set(code, (refused.get(code) ?? 0) + 1)
    if (realTime) await sleep(1_000)
    else stack.clock.pass(1_000)
  }
  assert.deepEqual([...refused], [['ERR_KMS_UNAVAILABLE', SECONDS]])
  const calls = stack.calls() - before
  assert.ok(calls <= MOST_CALLS, `${calls} calls of a KMS that is down`)

  await proxy.heal()
  stack.clock.pass(RESET_MS)
  await encrypt('somebody new')
  const cold = stack.cipher()
  for (const { envelope, options, plaintext } of written)
    demandSame(await cold.decrypt(envelope, options), plaintext)
  return `${written.length} messages written, ${SECONDS * TENANTS} read, ${calls} calls of the KMS`
}

/** The link comes and goes while callers write and read. Each has its answer, or an error that is an outage's. */
export async function surviveFlapping(proxy, newKms) {
  await proxy.heal()
  // The circuit would keep the callers from the link.
  const stack = openStack(newKms(), { stack: { circuitBreaker: false, retry: false } })
  const written = []
  const codes = new Map()
  const count = ({ code }) => codes.set(code, (codes.get(code) ?? 0) + 1)
  let over = false
  const flap = async () => {
    for (let i = 0; i < 15; i++) {
      await proxy.cut()
      await sleep(10 + (i % 5) * 10)
      // As long as its connections take to be noticed, and longer.
      await proxy.heal()
      await sleep((i % 7) * 10)
    }
    over = true
  }
  const caller = async () => {
    while (!over) {
      const message = createMessage()
      const wrote = await outcomeOf(stack.cipher().encrypt(message.plaintext, message.options))
      count(wrote)
      if (wrote.value === undefined) continue
      written.push({ ...message, envelope: wrote.value })
      const read = await outcomeOf(stack.cipher().decrypt(wrote.value, message.options))
      count(read)
      if (read.value !== undefined) demandSame(read.value, message.plaintext)
    }
  }
  await Promise.all([flap(), ...Array.from({ length: 4 }, caller)])
  const wrong = [...codes.keys()].filter((code) => !FLAPPING.includes(code))
  assert.deepEqual(wrong, [])
  for (const code of ['answers', 'ERR_KMS_UNAVAILABLE'])
    assert.ok(codes.has(code), `nothing came to ${code}`)
  const cold = stack.cipher()
  for (const { envelope, options, plaintext } of written)
    demandSame(await cold.decrypt(envelope, options), plaintext)
  return [...codes].map(([code, times]) => `${times} ${code}`).join(', ')
}

const FLAPPING = ['answers', 'ERR_KMS_UNAVAILABLE', 'ERR_KMS_TIMEOUT', 'ERR_KMS_THROTTLED']

/** An answer that ends early is none, wherever it ends. */
export async function refuseCutAnswers(proxy, newKms) {
  await proxy.heal()
  const stack = openStack(newKms(), { stack: { circuitBreaker: false, retry: false } })
  const message = createMessage()
  const envelope = await stack.cipher().encrypt(message.plaintext, message.options)
  const codes = []
  for (let bytes = 1; codes.at(-1) !== 'answers'; bytes += 41) {
    assert.ok(bytes < 10_000, 'no answer is that long')
    // Connections that are open have a count of their own.
    await proxy.cut()
    await proxy.heal()
    await proxy.add({ type: 'limit_data', attributes: { bytes } })
    const outcome = await outcomeOf(stack.cipher().decrypt(envelope, message.options))
    if (outcome.value !== undefined) demandSame(outcome.value, message.plaintext)
    codes.push(outcome.code)
  }
  const early = codes.slice(0, -1)
  assert.ok(early.length >= 5, 'it was hardly cut')
  assert.deepEqual(
    early,
    early.map(() => 'ERR_KMS_UNAVAILABLE'),
  )
  return `cut at ${early.length} places`
}
