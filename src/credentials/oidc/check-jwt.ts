import { KmsError } from '../../errors.ts'

/** A token is base64url in three parts; its signature is the vendor's to check. */
export function checkJwt(token: unknown, provider: string): string {
  if (typeof token === 'string' && /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) return token
  const message = 'the token is not a JWT'
  throw new KmsError('ERR_KMS_UNAUTHENTICATED', { provider, message })
}
