/** Many at once. The client throws where an answer has results and the status of an error. */
import { base64 } from '../world.mjs'

async function send(world, operation, items, more = {}, kind = {}) {
  const key = await world.sharedKey(JSON.stringify(kind), kind)
  const body = { batch_input: items, ...more }
  const { status, json, words } = await world.raw('POST', `/v1/transit/${operation}/${key}`, {
    body,
  })
  const results = json?.data?.batch_results?.map((item) => ({
    ...(item.error && { error: item.error }),
    ...(item.plaintext !== undefined && item.plaintext !== '' && { text: atob(item.plaintext) }),
    ...(item.ciphertext && { sealed: item.ciphertext.slice(0, 9) }),
    ...(item.reference && { reference: item.reference }),
  }))
  return { status, words, hasErrors: json?.errors !== undefined, results }
}

const sealed = async (world, text, input = {}, kind = {}) => {
  const key = await world.sharedKey(JSON.stringify(kind), kind)
  return { ciphertext: await world.encrypt(key, text, input), ...input }
}
const some = (world) => Promise.all(['one', 'two', 'three'].map((text) => sealed(world, text)))
const bad = { ciphertext: 'vault:v1:AAAA' }
const aad = (text) => ({ associated_data: base64(text) })
const context = (text) => ({ context: base64(text) })

/** @type {import('../world.mjs').Scenario[]} */
export const batchScenarios = [
  { name: 'batch/decrypt', run: async (world) => send(world, 'decrypt', await some(world)) },
  {
    name: 'batch/decrypt-with-aad-of-each',
    run: async (world) => {
      const items = ['one', 'two', 'three'].map((text) => sealed(world, text, aad(text)))
      return send(world, 'decrypt', await Promise.all(items))
    },
  },
  {
    name: 'batch/decrypt-with-context-of-each',
    run: async (world) => {
      const kind = { derived: true }
      const items = ['one', 'two'].map((text) => sealed(world, text, context(text), kind))
      return send(world, 'decrypt', await Promise.all(items), {}, kind)
    },
  },
  {
    name: 'batch/decrypt-one-of-three-bad',
    run: async (world) => {
      const [one, , three] = await some(world)
      return send(world, 'decrypt', [one, bad, three])
    },
  },
  {
    name: 'batch/decrypt-one-aad-wrong',
    run: async (world) => {
      const one = await sealed(world, 'one', aad('a'))
      return send(world, 'decrypt', [one, { ...one, ...aad('b') }])
    },
  },
  {
    name: 'batch/partial-failure-code',
    run: async (world) => {
      const [one] = await some(world)
      return send(world, 'decrypt', [one, bad], { partial_failure_response_code: 207 })
    },
  },
  { name: 'batch/decrypt-all-bad', run: (world) => send(world, 'decrypt', [bad, bad]) },
  {
    name: 'batch/decrypt-empty-item',
    run: (world) => send(world, 'decrypt', [{ ciphertext: '' }]),
  },
  { name: 'batch/empty', run: (world) => send(world, 'decrypt', []) },
  {
    name: 'batch/one-aad-not-base64',
    run: async (world) => {
      const [one] = await some(world)
      return send(world, 'decrypt', [one, { ...one, associated_data: '!!' }])
    },
  },
  {
    name: 'batch/context-in-one-only',
    run: async (world) => {
      const [one, two] = await some(world)
      return send(world, 'decrypt', [{ ...one, ...context('a') }, two])
    },
  },
  {
    name: 'batch/references',
    run: async (world) => {
      const [one, two] = await some(world)
      return send(world, 'decrypt', [
        { ...one, reference: 'r1' },
        { ...two, reference: 'r2' },
      ])
    },
  },
  {
    name: 'batch/encrypt',
    run: (world) =>
      send(world, 'encrypt', [{ plaintext: base64('a') }, { plaintext: base64('b') }]),
  },
  {
    name: 'batch/rewrap-one-bad',
    run: async (world) => {
      const [one] = await some(world)
      return send(world, 'rewrap', [one, bad])
    },
  },
]
