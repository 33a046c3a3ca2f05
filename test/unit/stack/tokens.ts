import { exportJWK, generateKeyPair, SignJWT } from 'jose'

/** An issuer of OIDC tokens for tests. */
export interface TestIssuer {
  readonly issuer: string
  readonly keys: readonly JsonWebKey[]
  token(claims: { readonly sub: string; readonly aud: string }): Promise<string>
}

export async function testIssuer(): Promise<TestIssuer> {
  const issuer = 'https://issuer.example.test'
  const { publicKey, privateKey } = await generateKeyPair('RS256')
  const keys = [(await exportJWK(publicKey)) as JsonWebKey]
  const token: TestIssuer['token'] = ({ sub, aud }) =>
    new SignJWT({ sub, aud })
      .setProtectedHeader({ alg: 'RS256' })
      .setIssuer(issuer)
      .setIssuedAt()
      .setExpirationTime('10m')
      .sign(privateKey)
  return { issuer, keys, token }
}
