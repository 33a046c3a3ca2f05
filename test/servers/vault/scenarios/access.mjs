/** Tokens, policies, paths and namespaces. */
import { base64, observe } from '../world.mjs'

const byToken = async (world, token) => {
  const key = await world.sharedKey()
  const body = { plaintext: base64('x') }
  const { status, words } = await world.raw('POST', `/v1/transit/encrypt/${key}`, { token, body })
  return { status, words }
}

const at = async (world, path, options = {}) => {
  const { status, words } = await world.raw('GET', path, options)
  return { status, words }
}

/** @type {import('../world.mjs').Scenario[]} */
export const accessScenarios = [
  { name: 'token/none', run: (world) => byToken(world, '') },
  { name: 'token/unknown', run: (world) => byToken(world, 'hvs.unknown') },
  {
    name: 'token/expired',
    run: async (world) => {
      await world.pause(1_200)
      return byToken(world, world.target.shortLived)
    },
  },
  {
    name: 'token/revoked',
    run: async (world) => {
      const { roleId, secretId } = world.target.appRole
      const input = { role_id: roleId, secret_id: secretId }
      const { auth } = await world.write('auth/approle/login', input)
      await world.raw('POST', '/v1/auth/token/revoke-self', { token: auth.client_token })
      return byToken(world, auth.client_token)
    },
  },
  {
    name: 'token/lookup',
    run: (world) =>
      observe(
        () => world.read('auth/token/lookup-self'),
        ({ data }) => data.ttl,
      ),
  },
  {
    name: 'token/renew-root',
    run: (world) => observe(() => world.write('auth/token/renew-self', {})),
  },
  {
    name: 'policy/allows',
    run: (world) => byToken(world, world.target.encryptOnly),
  },
  {
    name: 'policy/refuses',
    run: async (world) => {
      const key = await world.sharedKey()
      const ciphertext = await world.encrypt(key, 'x')
      const client = world.clientOf(world.target.encryptOnly)
      return observe(() => world.write(`transit/decrypt/${key}`, { ciphertext }, client))
    },
  },
  {
    name: 'policy/refuses-key-info',
    run: async (world) => {
      const client = world.clientOf(world.target.encryptOnly)
      return observe(async () => world.read(`transit/keys/${await world.sharedKey()}`, client))
    },
  },
  { name: 'path/health', run: (world) => at(world, '/v1/sys/health', { token: '' }) },
  { name: 'path/unknown-mount', run: (world) => at(world, '/v1/nowhere/keys/app') },
  { name: 'path/unknown-operation', run: (world) => at(world, '/v1/transit/frobnicate/app') },
  { name: 'path/two-slashes', run: (world) => at(world, '/v1/transit//keys/app') },
  { name: 'path/name-that-begins-with-a-dash', run: (world) => at(world, '/v1/transit/keys/-app') },
  {
    name: 'namespace/by-path-has-keys-of-its-own',
    run: async (world) => {
      const { namespace } = world.target
      const name = `both-${Date.now()}`
      await world.write(`${namespace}/transit/keys/${name}`)
      const inside = await world.write(`${namespace}/transit/encrypt/${name}`, {
        plaintext: base64('x'),
      })
      const { ciphertext } = inside.data
      return {
        inside: await observe(() =>
          world.write(`${namespace}/transit/decrypt/${name}`, { ciphertext }),
        ),
        outside: await observe(() => world.write(`transit/decrypt/${name}`, { ciphertext })),
      }
    },
  },
  {
    name: 'namespace/by-header',
    run: async (world) => {
      const { namespace } = world.target
      const name = `header-${Date.now()}`
      await world.write(`${namespace}/transit/keys/${name}`)
      const headers = { 'x-vault-namespace': namespace }
      return at(world, `/v1/transit/keys/${name}`, { headers })
    },
  },
  {
    name: 'namespace/unknown-by-header',
    run: (world) => at(world, '/v1/transit/keys/app', { headers: { 'x-vault-namespace': 'no' } }),
  },
  {
    name: 'namespace/unknown-by-path',
    run: (world) => at(world, '/v1/no/transit/keys/app'),
  },
]
