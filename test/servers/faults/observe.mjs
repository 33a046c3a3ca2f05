/** One fault before one server: what a caller sees while it lasts and after it. */
import { createMessage, demandSame, openStack, outcomeOf } from './stack.mjs'

const WARM = 'warm'
const CACHED_USES = 20
/** Longer than a circuit stays open. */
const RESET_MS = 40_000
/** By then enough attempts have failed, whatever each call's retries are. */
const MOST_CALLS = 5

/**
 * @param {import('./toxiproxy.mjs').Proxy} proxy
 * @param {() => any} newKms a provider behind that proxy
 * @param {import('./faults.mjs').Fault} fault
 */
export async function observe(proxy, newKms, fault) {
  await proxy.heal()
  const stack = openStack(newKms())
  const held = stack.cipher()
  const warm = createMessage(WARM)
  const envelope = await held.encrypt(warm.plaintext, warm.options)
  /** Everything that left, under whatever fault: it must open in the end. */
  const written = [{ ...warm, envelope }]
  const unseen = []
  for (let i = 0; i < MOST_CALLS; i++) {
    const message = createMessage()
    unseen.push({ ...message, envelope: await held.encrypt(message.plaintext, message.options) })
  }
  for (const toxic of fault.toxics) await proxy.add(toxic)
  if (fault.cut === true) await proxy.cut()

  const write = async () => {
    const message = createMessage()
    const outcome = await outcomeOf(stack.cipher().encrypt(message.plaintext, message.options))
    if (outcome.value !== undefined) written.push({ ...message, envelope: outcome.value })
    return outcome
  }
  const read = async (/** @type {number} */ i) => {
    const { envelope: sealed, plaintext, options } = unseen[i]
    const outcome = await outcomeOf(stack.cipher().decrypt(sealed, options))
    if (outcome.value !== undefined) demandSame(outcome.value, plaintext)
    return outcome
  }
  const [writes, reads] = await Promise.all([untilRefused(write), untilRefused(read)])

  const before = stack.calls()
  for (let i = 0; i < CACHED_USES; i++) {
    const message = createMessage(WARM)
    const sealed = await held.encrypt(message.plaintext, message.options)
    written.push({ ...message, envelope: sealed })
    demandSame(await held.decrypt(envelope, warm.options), warm.plaintext)
  }
  const asked = stack.calls() - before

  await proxy.heal()
  stack.clock.pass(RESET_MS)
  const healed = [await write(), await read(0)]
  const cold = stack.cipher()
  for (const { envelope: sealed, plaintext, options } of written)
    demandSame(await cold.decrypt(sealed, options), plaintext)
  return {
    first: same(writes[0]?.code, reads[0]?.code),
    circuit: same(openedBy(writes), openedBy(reads)),
    cached: asked === 0 ? 'answers' : `answers, with ${asked} calls of the KMS`,
    after: same(healed[0].code, healed[1].code),
    written: written.length,
  }
}

/** Calls, one after the other, until one is refused because the circuit is open. */
async function untilRefused(/** @type {(i: number) => Promise<any>} */ call) {
  const outcomes = []
  for (let i = 0; i < MOST_CALLS; i++) {
    outcomes.push(await call(i))
    if (outcomes.at(-1).error?.retryAfterMs !== undefined) break
  }
  return outcomes
}

function openedBy(outcomes) {
  const last = outcomes.at(-1)
  return last.error?.retryAfterMs === undefined ? 'stays closed' : last.code
}

const same = (write, read) => (write === read ? write : `${write} to write, ${read} to read`)
