/** Our own fake of Vault behind a loopback port, as one more target for the client. */
import { openFront } from '../../../tools/servers/front.mjs'
import { audience, createIssuers, serviceAccount, subject } from './tokens.mjs'

/** The public index of what `edge-kms/testing` exports. */
const loadTesting = () => import(new URL('../../../adapters/fakes/index.ts', import.meta.url).href)

/** The faults that the fake can be told to have. */
export const fakeDefects = async () => (await loadTesting()).FAKE_VAULT_DEFECTS

const appRole = { roleId: 'role-of-app', secretId: 'secret-of-app' }
const namespace = 'team'
const hourMs = 3_600_000

/**
 * @param {(target: import('./world.mjs').VaultTarget) => Promise<void>} work
 * @param {readonly string[]} [defects]
 * @returns {Promise<undefined>}
 */
export async function withFake(work, defects = []) {
  const { createFakeVault } = await loadTesting()
  const { jwt, cluster, jwtOf, serviceAccountTokenOf } = createIssuers()
  let offsetMs = -hourMs
  const fake = createFakeVault({
    namespaces: [namespace],
    tokens: [
      { token: 'root' },
      { token: 'encrypt-only', policy: { 'transit/encrypt/*': ['update'] } },
      { token: 'short-lived', ttlSeconds: 1 },
    ],
    appRoles: [
      { roleId: appRole.roleId, secretIds: [appRole.secretId], ttlSeconds: 3, maxTtlSeconds: 4 },
    ],
    jwt: {
      issuer: { issuer: jwt.issuer, keys: [jwt.jwk] },
      roles: [{ name: 'app', audience, subject }],
    },
    kubernetes: {
      issuer: { issuer: cluster.issuer, keys: [cluster.jwk] },
      roles: [{ name: 'app', serviceAccount }],
    },
    now: () => Date.now() + offsetMs,
    defects,
  })
  offsetMs = 0
  const front = await openFront((request) => fake.fetch(request))
  try {
    await work({
      name: 'fake',
      endpoint: front.url,
      token: 'root',
      encryptOnly: 'encrypt-only',
      shortLived: 'short-lived',
      appRole,
      jwt: jwtOf,
      serviceAccountToken: serviceAccountTokenOf,
      namespace,
      pass: (ms) => fake.clock.advance(ms),
    })
  } finally {
    await front.close()
  }
  return undefined
}
