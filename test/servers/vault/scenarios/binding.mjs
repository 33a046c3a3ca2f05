/** Associated data and the context of derived keys: what binds, and where it does not. */
import { base64, observe } from '../world.mjs'

/** Encrypts with one set of parameters and opens with another, under a key of a kind. */
const between =
  (sealedWith, openedWith, kind = {}) =>
  async (world) => {
    const key = await world.sharedKey(JSON.stringify(kind), kind)
    const sealed = await observe(
      () => world.encrypt(key, 'secret', sealedWith),
      (ciphertext) => ciphertext,
    )
    if (!('ok' in sealed)) return { sealed }
    return world.opens(key, sealed.ok, 'secret', openedWith)
  }

const aad = (text) => ({ associated_data: base64(text) })
const context = (text) => ({ context: base64(text) })
const derived = { derived: true }

/** @returns {Promise<any>} */
const dataKey = async (world, kind, input, path = 'plaintext') => {
  const key = await world.sharedKey(JSON.stringify(kind), kind)
  const made = await observe(
    () => world.write(`transit/datakey/${path}/${key}`, { bits: 256, ...input }),
    (answer) => answer,
  )
  if (!('ok' in made)) return { key, made }
  const { data, warnings } = made.ok
  return { key, data, warned: (warnings ?? []).length > 0 }
}

/** @returns what opens the ciphertext of a data key */
const openDataKey = async (world, { key, data }, input) =>
  observe(
    () => world.write(`transit/decrypt/${key}`, { ciphertext: data.ciphertext, ...input }),
    (answer) => answer.data.plaintext === data.plaintext,
  )

/** @type {import('../world.mjs').Scenario[]} */
export const bindingScenarios = [
  { name: 'aad/right', run: between(aad('a'), aad('a')) },
  { name: 'aad/wrong', run: between(aad('a'), aad('b')) },
  { name: 'aad/missing', run: between(aad('a'), {}) },
  { name: 'aad/extra', run: between({}, aad('a')) },
  { name: 'aad/not-base64', run: between({ associated_data: '!!' }, {}) },
  { name: 'aad/not-base64-to-open', run: between(aad('a'), { associated_data: '!!' }) },
  { name: 'aad/base64url', run: between({ associated_data: '__-_' }, {}) },
  { name: 'context/ignored-to-seal', run: between(context('a'), {}) },
  { name: 'context/ignored-to-open', run: between({}, context('a')) },
  { name: 'derived/right', run: between(context('a'), context('a'), derived) },
  { name: 'derived/wrong', run: between(context('a'), context('b'), derived) },
  { name: 'derived/missing-to-seal', run: between({}, {}, derived) },
  { name: 'derived/missing-to-open', run: between(context('a'), {}, derived) },
  {
    name: 'derived/with-aad',
    run: between({ ...context('a'), ...aad('a') }, { ...context('a'), ...aad('a') }, derived),
  },
  {
    name: 'derived/with-wrong-aad',
    run: between({ ...context('a'), ...aad('a') }, { ...context('a'), ...aad('b') }, derived),
  },
  {
    name: 'datakey/opens',
    run: async (world) => {
      const made = await dataKey(world, {}, {})
      const bytes = Buffer.from(made.data.plaintext, 'base64').length
      return { bytes, version: made.data.key_version, opens: await openDataKey(world, made, {}) }
    },
  },
  {
    name: 'datakey/wrapped',
    run: async (world) => {
      const { data } = await dataKey(world, {}, {}, 'wrapped')
      return { plaintext: data.plaintext === undefined ? 'absent' : 'present' }
    },
  },
  { name: 'datakey/other-kind', run: async (world) => (await dataKey(world, {}, {}, 'x')).made },
  {
    name: 'datakey/bits-255',
    run: async (world) => (await dataKey(world, {}, { bits: 255 })).made,
  },
  {
    name: 'datakey/aad-is-not-applied',
    run: async (world) => {
      const made = await dataKey(world, {}, aad('a'))
      return {
        warned: made.warned,
        opensWithout: await openDataKey(world, made, {}),
        opensWith: await openDataKey(world, made, aad('a')),
      }
    },
  },
  {
    name: 'datakey/derived',
    run: async (world) => {
      const made = await dataKey(world, derived, context('a'))
      return {
        right: await openDataKey(world, made, context('a')),
        wrong: await openDataKey(world, made, context('b')),
      }
    },
  },
  {
    name: 'datakey/derived-without-context',
    run: async (world) => (await dataKey(world, derived, {})).made,
  },
  {
    name: 'datakey/unknown-key',
    run: (world) => observe(() => world.write('transit/datakey/plaintext/nobody', { bits: 256 })),
  },
]
