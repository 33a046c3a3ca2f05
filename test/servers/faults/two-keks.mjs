/** R26 over two real servers: either one is gone, everything is read, and writes follow their policy. */
import assert from 'node:assert/strict'
import { EncryptedEnvelope } from '../../../src/index.ts'
import { createMessage, demandSame, openStack } from './stack.mjs'

const MESSAGES = 40
const RESET_MS = 40_000

/**
 * @param {readonly { name: string, proxy: import('./toxiproxy.mjs').Proxy, newKms: () => any }[]} members
 * @param {number} gone which of them is cut off
 */
export async function readWithOneGone(members, gone) {
  for (const { proxy } of members) await proxy.heal()
  /** @type {{ dataKey: string, providers: readonly string[] }[]} */
  const notes = []
  const repairs = {
    note: async (/** @type {any} */ missing) => void notes.push(missing),
  }
  const all = members.map(({ newKms }) => newKms())
  const stack = openStack(all, { stack: { writePolicy: { quorum: 1 }, repairs } })
  const write = async () => {
    const message = createMessage()
    const envelope = await stack.cipher().encrypt(message.plaintext, message.options)
    return { ...message, envelope }
  }
  const read = async ({ envelope, options, plaintext }) =>
    demandSame(await stack.cipher().decrypt(envelope, options), plaintext)
  const both = []
  for (let i = 0; i < MESSAGES; i++) both.push(await write())
  assert.equal(notes.length, 0)

  await members[gone].proxy.cut()
  for (const message of both) await read(message)
  const meanwhile = []
  for (let i = 0; i < MESSAGES; i++) meanwhile.push(await write())
  for (const message of meanwhile) {
    const wraps = EncryptedEnvelope.parse(message.envelope).wraps
    assert.deepEqual(
      wraps.map(({ provider }) => provider),
      [members[1 - gone].name],
    )
    await read(message)
  }
  assert.equal(notes.length, MESSAGES)
  assert.ok(notes.every(({ providers }) => providers.join() === members[gone].name))

  await members[gone].proxy.heal()
  stack.clock.pass(RESET_MS)
  for (const message of [...both, ...meanwhile]) await read(message)
}
