/** OpenBao in development mode, set up with what the scenarios want, by plain requests. */
import { openFront } from '../../../tools/servers/front.mjs'
import { withServers } from '../../../tools/servers/with-servers.mjs'
import { audience, createIssuers, serviceAccount, subject } from './tokens.mjs'

const root = 'root'
const namespace = 'team'

/** The body of an answer; what is not a success is a mistake in the set-up. */
async function call(url, method, path, body) {
  const response = await fetch(`${url}/v1/${path}`, {
    method,
    headers: { 'x-vault-token': root },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 500)}`)
  return text === '' ? undefined : JSON.parse(text)
}

/** Plays a cluster's TokenReview: OpenBao asks it who a token belongs to. */
function openCluster(good) {
  return openFront(async (request) => {
    const { spec } = await request.json()
    const known = spec.token === good
    const [space, name] = serviceAccount.split(':')
    const user = { username: `system:serviceaccount:${space}:${name}`, uid: 'u1', groups: [] }
    const { audiences } = spec
    const status = known ? { authenticated: true, user, audiences } : { authenticated: false }
    const answer = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', status }
    return Response.json(answer, { status: 201 })
  })
}

async function setUp(url, cluster, issuers) {
  const put = (path, body) => call(url, 'POST', path, body)
  await put('sys/mounts/transit', { type: 'transit' })
  await put(`sys/namespaces/${namespace}`, {})
  await put(`${namespace}/sys/mounts/transit`, { type: 'transit' })
  await put('sys/policies/acl/all', {
    policy: 'path "*" { capabilities = ["create","read","update","delete","list"] }',
  })
  await put('sys/policies/acl/encrypt-only', {
    policy: 'path "transit/encrypt/*" { capabilities = ["update"] }',
  })
  await put('sys/auth/approle', { type: 'approle' })
  await put('auth/approle/role/app', { token_policies: 'all', token_ttl: 3, token_max_ttl: 4 })
  await put('sys/auth/jwt', { type: 'jwt' })
  await put('auth/jwt/config', {
    jwt_validation_pubkeys: [issuers.jwt.pem],
    bound_issuer: issuers.jwt.issuer,
  })
  await put('auth/jwt/role/app', {
    role_type: 'jwt',
    user_claim: 'sub',
    bound_audiences: [audience],
    bound_subject: subject,
    token_policies: 'all',
  })
  await put('sys/auth/kubernetes', { type: 'kubernetes' })
  await put('auth/kubernetes/config', {
    kubernetes_host: cluster.url,
    // Nobody checks it over plain http, but there must be one.
    kubernetes_ca_cert: '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----',
    disable_local_ca_jwt: true,
  })
  const [space, name] = serviceAccount.split(':')
  await put('auth/kubernetes/role/app', {
    bound_service_account_names: [name],
    bound_service_account_namespaces: [space],
    token_policies: 'all',
  })
  const { data: role } = await call(url, 'GET', 'auth/approle/role/app/role-id')
  const { data: secret } = await put('auth/approle/role/app/secret-id', {})
  const encryptOnly = await put('auth/token/create', { policies: ['encrypt-only'] })
  const shortLived = await put('auth/token/create', { policies: ['all'], ttl: '1s' })
  return {
    encryptOnly: encryptOnly.auth.client_token,
    shortLived: shortLived.auth.client_token,
    appRole: { roleId: role.role_id, secretId: secret.secret_id },
  }
}

/**
 * @param {(target: import('./world.mjs').VaultTarget) => Promise<void>} work
 * @returns {Promise<string | undefined>} why there is none
 */
export function withOpenBao(work) {
  return withServers(['openbao'], async ({ openbao }, [missing]) => {
    if (missing !== undefined) return missing.reason
    const issuers = createIssuers()
    const good = issuers.serviceAccountTokenOf('good')
    const cluster = await openCluster(good)
    try {
      await work({
        name: 'openbao',
        endpoint: openbao.url,
        token: root,
        namespace,
        jwt: issuers.jwtOf,
        serviceAccountToken: (kind) =>
          kind === 'good' ? good : issuers.serviceAccountTokenOf(kind),
        ...(await setUp(openbao.url, cluster, issuers)),
      })
    } finally {
      await cluster.close()
    }
    return undefined
  })
}
