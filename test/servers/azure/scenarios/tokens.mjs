/** Entra ID's token endpoint, and what a vault says to tokens. */
import { observe } from '../world.mjs'

const granted = (world, credential) =>
  observe(
    () => world.tokenOf(credential),
    ({ expiresOnTimestamp }) => Math.abs(expiresOnTimestamp - Date.now() - 3_599_000) < 60_000,
  )

const get = async (world, credential, vault) => {
  const { name } = await world.sharedKey()
  return observe(() => world.client(vault, credential).getKey(name))
}

const workload = (kind) => ({
  name: `token/federated-${kind}`,
  run: (world) => granted(world, world.workloadOf(kind)),
})

/** @type {import('../world.mjs').Scenario[]} */
export const tokenScenarios = [
  { name: 'token/secret', run: (world) => granted(world, world.secretOf(world.target.admin)) },
  {
    name: 'token/wrong-secret',
    run: (world) =>
      granted(world, world.secretOf({ ...world.target.admin, clientSecret: 'wrong' })),
  },
  {
    name: 'token/unknown-application',
    run: (world) =>
      granted(
        world,
        world.secretOf({ ...world.target.admin, clientId: '00000000-0000-4000-8000-000000000000' }),
      ),
  },
  {
    name: 'token/unknown-tenant',
    run: (world) =>
      granted(world, world.secretOf(world.target.admin, '00000000-0000-4000-8000-000000000000')),
  },
  {
    name: 'token/unknown-resource',
    run: (world) =>
      observe(() =>
        world.tokenOf(world.secretOf(world.target.admin), 'https://nothing.example.test'),
      ),
  },
  {
    name: 'token/certificate',
    run: (world) => granted(world, world.certificateOf(world.target.certificate)),
  },
  {
    name: 'token/certificate-with-another-key',
    run: (world) => granted(world, world.certificateOf(world.target.wrongCertificate)),
  },
  {
    name: 'token/certificate-unknown',
    run: (world) => granted(world, world.certificateOf(world.target.unknownCertificate)),
  },
  ...['good', 'expired', 'wrong-audience', 'wrong-subject', 'wrong-signature'].map(workload),
  {
    name: 'vault/challenge-first',
    // The client sends a bare request, learns the resource from the answer, and comes back.
    run: async (world) => {
      const seen = []
      const { fetch } = world.target
      const key = await world.sharedKey()
      const credential = world.secretOf(world.target.admin)
      const watched = {
        getToken: (scopes, options) => {
          seen.push([scopes, options?.tenantId === world.target.tenantId])
          return credential.getToken(scopes, options)
        },
      }
      const answer = await fetch(
        new Request(`${world.target.vault}/keys/${key.name}?api-version=7.4`),
      )
      const bare = { status: answer.status, body: await answer.text() }
      return { bare, ok: await get(world, watched), seen }
    },
  },
  {
    name: 'vault/foreign-challenge',
    run: async (world) => {
      const { name } = await world.sharedKey()
      world.target.foreignChallenge()
      return observe(() => world.client().getKey(name))
    },
  },
  {
    name: 'vault/made-up-token',
    run: async (world) => {
      const { token } = await world.tokenOf(world.secretOf(world.target.admin))
      const [head, body] = token.split('.')
      return get(world, world.fixed(`${head}.${body}.${'A'.repeat(43)}`))
    },
  },
  { name: 'vault/no-jwt', run: (world) => get(world, world.fixed('not-a-token')) },
  { name: 'vault/expired-token', run: (world) => get(world, world.fixed(world.target.expired)) },
  {
    name: 'vault/token-for-an-hsm',
    run: async (world) => {
      const credential = world.secretOf(world.target.admin)
      const { token } = await world.tokenOf(credential, 'https://managedhsm.azure.net')
      return get(world, world.fixed(token))
    },
  },
  {
    name: 'hsm/token-for-a-vault',
    run: async (world) => {
      const { name } = await world.sharedKey('hsm')
      const { token } = await world.tokenOf(world.secretOf(world.target.admin))
      return observe(() => world.client(world.target.hsm, world.fixed(token)).getKey(name))
    },
  },
  {
    name: 'permission/wrap-alone',
    run: async (world) => {
      const credential = world.secretOf(world.target.writer)
      const key = await world.sharedKey()
      const wrapped = await world.wrap(key)
      return {
        // The client asks for the key first, and goes on without it.
        wrap: await observe(() =>
          world.cryptography(key.id, credential).wrapKey('RSA-OAEP-256', world.dek),
        ),
        unwrap: await world.opens(key.id, wrapped, { credential }),
        get: await observe(() => world.client(undefined, credential).getKey(key.name)),
        rotate: await observe(() => world.client(undefined, credential).rotateKey(key.name)),
      }
    },
  },
]
