/** Rewrap: what it keeps, and what it cannot. */
import { base64, observe } from '../world.mjs'

const rewrapped = async (world, kind, sealedWith, sentAlong, openedWith = sealedWith) => {
  const key = await world.createKey(kind)
  const old = await world.encrypt(key, 'secret', sealedWith)
  await world.write(`transit/keys/${key}/rotate`)
  const answer = await observe(
    () => world.write(`transit/rewrap/${key}`, { ciphertext: old, ...sentAlong }),
    ({ data }) => data,
  )
  if (!('ok' in answer)) return answer
  const { ciphertext, key_version: version } = answer.ok
  return {
    version,
    prefix: ciphertext.slice(0, 9),
    opens: await world.opens(key, ciphertext, 'secret', openedWith),
  }
}

const aad = { associated_data: base64('a') }
const context = { context: base64('a') }
const derived = { derived: true }

/** @type {import('../world.mjs').Scenario[]} */
export const rewrapScenarios = [
  { name: 'rewrap/plain', run: (world) => rewrapped(world, {}, {}, {}) },
  { name: 'rewrap/with-aad', run: (world) => rewrapped(world, {}, aad, {}) },
  { name: 'rewrap/with-aad-that-is-sent', run: (world) => rewrapped(world, {}, aad, aad) },
  { name: 'rewrap/derived', run: (world) => rewrapped(world, derived, context, context) },
  {
    name: 'rewrap/derived-without-context',
    run: (world) => rewrapped(world, derived, context, {}),
  },
  {
    name: 'rewrap/derived-with-aad',
    run: (world) => rewrapped(world, derived, { ...aad, ...context }, { ...aad, ...context }),
  },
  {
    name: 'rewrap/unknown-key',
    run: async (world) => {
      const ciphertext = await world.encrypt(await world.sharedKey(), 'x')
      return observe(() => world.write('transit/rewrap/nobody', { ciphertext }))
    },
  },
  {
    name: 'rewrap/junk',
    run: async (world) => {
      const key = await world.sharedKey()
      return observe(() => world.write(`transit/rewrap/${key}`, { ciphertext: 'vault:v1:AAAA' }))
    },
  },
]
