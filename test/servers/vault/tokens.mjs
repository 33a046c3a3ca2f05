/** Issuers of JSON Web Tokens: one for `auth/jwt`, one that plays a cluster. */
import { createSign, generateKeyPairSync } from 'node:crypto'

export const audience = 'vault.example'
export const subject = 'repo:acme/app'
export const serviceAccount = 'prod:app'

/** Returns the claims of a projected token of a service account. */
const accountClaims = (account) => {
  const [namespace, name] = account.split(':')
  return {
    sub: `system:serviceaccount:${account}`,
    'kubernetes.io': { namespace, serviceaccount: { name, uid: 'u1' } },
  }
}

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** @param {string} issuer */
function createIssuer(issuer) {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'RS256', use: 'sig' }
  const pem = publicKey.export({ format: 'pem', type: 'spki' })
  const sign = (claims, key) => {
    const signed = `${part({ alg: 'RS256', typ: 'JWT', kid: 'k1' })}.${part(claims)}`
    return `${signed}.${createSign('RSA-SHA256').update(signed).sign(key, 'base64url')}`
  }
  /** @param {Record<string, unknown>} right */
  const tokens = (right, other) => (/** @type {import('./world.mjs').TokenKind} */ kind) => {
    const now = Math.floor(Date.now() / 1000)
    const claims = { iss: issuer, iat: now - 10, nbf: now - 10, exp: now + 600, ...right }
    if (kind === 'not-a-token') return 'a.b.c'
    if (kind === 'wrong-signature') return sign(claims, stranger)
    if (kind === 'expired') return sign({ ...claims, exp: now - 3600, iat: now - 7200 }, privateKey)
    if (kind === 'wrong-audience') return sign({ ...claims, aud: 'someone-else' }, privateKey)
    if (kind === 'wrong-subject') return sign({ ...claims, ...other }, privateKey)
    return sign(claims, privateKey)
  }
  return { issuer, jwk, pem, tokens }
}

export function createIssuers() {
  const jwt = createIssuer('https://issuer.example')
  const cluster = createIssuer('https://kubernetes.default.svc')
  return {
    jwt,
    cluster,
    jwtOf: jwt.tokens({ aud: audience, sub: subject }, { sub: 'somebody' }),
    serviceAccountTokenOf: cluster.tokens(
      { aud: ['vault'], ...accountClaims(serviceAccount) },
      accountClaims('prod:somebody'),
    ),
  }
}
