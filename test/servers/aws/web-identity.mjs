/** An issuer of web identity tokens: what a cluster or a CI system would hand to a workload. */
import { createSign, generateKeyPairSync } from 'node:crypto'

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')

export const issuer = 'https://issuer.example.test'
export const audience = 'sts.amazonaws.com'
export const subject = 'system:serviceaccount:apps:edge-kms'

/**
 * @param {() => number} nowMs
 * @returns the public key as a JWK, and tokens of every kind that a scenario asks for
 */
export function createIssuer(nowMs = Date.now) {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const stranger = () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey

  function token(claims = {}, key = privateKey) {
    const now = Math.floor(nowMs() / 1000)
    const body = {
      iss: issuer,
      sub: subject,
      aud: [audience],
      iat: now - 60,
      exp: now + 3600,
      ...claims,
    }
    const signed = `${encode({ alg: 'RS256', kid: 'k1', typ: 'JWT' })}.${encode(body)}`
    return `${signed}.${createSign('RSA-SHA256').update(signed).sign(key, 'base64url')}`
  }

  /** @param {import('./world.mjs').TokenKind} kind */
  function webIdentityToken(kind) {
    const now = Math.floor(nowMs() / 1000)
    switch (kind) {
      case 'good':
        return token()
      case 'expired':
        return token({ iat: now - 7200, exp: now - 3600 })
      case 'wrong-audience':
        return token({ aud: ['someone.else'] })
      case 'wrong-signature':
        return token({}, stranger())
      case 'wrong-subject':
        return token({ sub: 'system:serviceaccount:apps:another' })
      case 'not-a-token':
        return 'this is not a token'
    }
    throw new TypeError(`no such kind of token: ${kind}`)
  }

  const jwk = { ...publicKey.export({ format: 'jwk' }), alg: 'RS256', kid: 'k1', use: 'sig' }
  return { jwk, webIdentityToken }
}
