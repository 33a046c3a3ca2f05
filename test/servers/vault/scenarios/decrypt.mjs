/** Decrypt: what opens, and how what does not is refused. */
import { observe } from '../world.mjs'

/** Observes the decryption of a ciphertext that was changed. */
const changed = (change) => async (world) => {
  const key = await world.sharedKey()
  return world.opens(key, change(await world.encrypt(key, 'secret')), 'secret')
}

/** The bytes behind the prefix, with one bit flipped. */
function flip(ciphertext, at) {
  const [, prefix, text] = /^(vault:v\d+:)(.*)$/.exec(ciphertext) ?? []
  const bytes = Buffer.from(text ?? '', 'base64')
  const index = at < 0 ? bytes.length + at : at
  bytes[index] = (bytes[index] ?? 0) ^ 1
  return `${prefix}${bytes.toString('base64')}`
}

/** @type {import('../world.mjs').Scenario[]} */
export const decryptScenarios = [
  { name: 'decrypt/opens', run: changed((text) => text) },
  { name: 'decrypt/flipped-nonce', run: changed((text) => flip(text, 0)) },
  { name: 'decrypt/flipped-tag', run: changed((text) => flip(text, -1)) },
  { name: 'decrypt/cut', run: changed((text) => text.slice(0, 30)) },
  { name: 'decrypt/shorter-than-a-nonce', run: changed(() => 'vault:v1:AAAA') },
  { name: 'decrypt/empty', run: changed(() => '') },
  { name: 'decrypt/no-prefix', run: changed((text) => text.slice(6)) },
  { name: 'decrypt/no-fields', run: changed(() => 'vault:v1') },
  { name: 'decrypt/no-version', run: changed((text) => text.replace('v1', 'vx')) },
  { name: 'decrypt/newer-version', run: changed((text) => text.replace('v1', 'v9')) },
  { name: 'decrypt/negative-version', run: changed((text) => text.replace('v1', 'v-1')) },
  { name: 'decrypt/version-zero', run: changed((text) => text.replace('v1', 'v0')) },
  { name: 'decrypt/leading-zero', run: changed((text) => text.replace('v1', 'v01')) },
  { name: 'decrypt/line-break-behind', run: changed((text) => `${text}\n`) },
  { name: 'decrypt/no-base64', run: changed(() => 'vault:v1:!!!!') },
  {
    name: 'decrypt/other-key',
    run: async (world) => {
      const [a, b] = [await world.sharedKey('a'), await world.sharedKey('b')]
      return world.opens(b, await world.encrypt(a, 'secret'), 'secret')
    },
  },
  {
    name: 'decrypt/unknown-key',
    run: async (world) => {
      const ciphertext = await world.encrypt(await world.sharedKey(), 'secret')
      return world.opens('nobody', ciphertext, 'secret')
    },
  },
  {
    name: 'decrypt/no-ciphertext',
    run: async (world) => {
      const key = await world.sharedKey()
      return observe(() => world.write(`transit/decrypt/${key}`, {}))
    },
  },
]
