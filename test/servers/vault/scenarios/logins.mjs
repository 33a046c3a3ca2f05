/** AppRole, JWT and Kubernetes: who is let in, and how who is not is refused. */
import { observe } from '../world.mjs'

const facts = ({ auth }) => ({
  token: typeof auth.client_token === 'string' && auth.client_token.length > 10,
  renewable: auth.renewable,
})

const appRole = async (world, change) => {
  const { roleId, secretId } = world.target.appRole
  const input = { role_id: roleId, secret_id: secretId, ...change }
  const login = () => world.write('auth/approle/login', input)
  return observe(login, (answer) => ({ ...facts(answer), seconds: answer.auth.lease_duration }))
}

/** @param {import('../world.mjs').TokenKind} kind */
const jwt = (kind) => (world) =>
  observe(
    () => world.write('auth/jwt/login', { role: 'app', jwt: world.target.jwt(kind) }),
    facts,
  ).then(withoutReason)

/** @param {import('../world.mjs').TokenKind} kind */
const kubernetes = (kind) => (world) => {
  const input = { role: 'app', jwt: world.target.serviceAccountToken(kind) }
  return observe(() => world.write('auth/kubernetes/login', input), facts)
}

/** A library of OpenBao's words the reason of a refused token: only its beginning counts. */
function withoutReason(seen) {
  return 'error' in seen ? { ...seen, error: seen.error.split(':')[0] } : seen
}

/** @type {import('../world.mjs').Scenario[]} */
export const loginScenarios = [
  { name: 'approle/right', run: (world) => appRole(world, {}) },
  { name: 'approle/wrong-secret', run: (world) => appRole(world, { secret_id: 'wrong' }) },
  { name: 'approle/wrong-role', run: (world) => appRole(world, { role_id: 'wrong' }) },
  { name: 'approle/no-secret', run: (world) => appRole(world, { secret_id: undefined }) },
  { name: 'approle/no-role', run: (world) => appRole(world, { role_id: undefined }) },
  {
    name: 'approle/nothing',
    run: (world) => appRole(world, { role_id: undefined, secret_id: undefined }),
  },
  {
    name: 'approle/renew',
    run: async (world) => {
      const { roleId, secretId } = world.target.appRole
      const input = { role_id: roleId, secret_id: secretId }
      const { auth } = await world.write('auth/approle/login', input)
      const client = world.clientOf(auth.client_token)
      const renew = () =>
        observe(
          () => world.write('auth/token/renew-self', {}, client),
          (answer) => ({
            same: answer.auth.client_token === auth.client_token,
            isCut: answer.auth.lease_duration < 3,
            warned: (answer.warnings ?? []).length > 0,
          }),
        )
      const early = await renew()
      await world.pause(2_300)
      const late = await renew()
      await world.pause(2_300)
      // 403, or 500 "past the max TTL" where the lease was not swept yet.
      return { early, late, over: 'error' in (await renew()) ? 'refused' : 'renewed' }
    },
  },
  { name: 'jwt/good', run: jwt('good') },
  { name: 'jwt/expired', run: jwt('expired') },
  { name: 'jwt/wrong-audience', run: jwt('wrong-audience') },
  { name: 'jwt/wrong-subject', run: jwt('wrong-subject') },
  { name: 'jwt/wrong-signature', run: jwt('wrong-signature') },
  { name: 'jwt/not-a-token', run: jwt('not-a-token') },
  {
    name: 'jwt/unknown-role',
    run: (world) => {
      const input = { role: 'nobody', jwt: world.target.jwt('good') }
      return observe(() => world.write('auth/jwt/login', input))
    },
  },
  { name: 'kubernetes/good', run: kubernetes('good') },
  { name: 'kubernetes/wrong-account', run: kubernetes('wrong-subject') },
  { name: 'kubernetes/wrong-signature', run: kubernetes('wrong-signature') },
  {
    name: 'kubernetes/unknown-role',
    run: (world) => {
      const input = { role: 'nobody', jwt: world.target.serviceAccountToken('good') }
      return observe(() => world.write('auth/kubernetes/login', input))
    },
  },
  {
    name: 'login/unknown-mount-without-token',
    run: async (world) => {
      const body = { role: 'app', jwt: 'a.b.c' }
      const { status, words } = await world.raw('POST', '/v1/auth/nowhere/login', {
        token: '',
        body,
      })
      return { status, words }
    },
  },
  {
    name: 'login/unknown-mount',
    run: (world) => observe(() => world.write('auth/nowhere/login', { role: 'app', jwt: 'a.b.c' })),
  },
]
