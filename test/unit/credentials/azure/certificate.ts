import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto'

/** A key pair with what stands for its certificate: nobody here looks into one, except for its hash. */
export interface TestCertificate {
  readonly certificate: string
  readonly privateKey: string
  readonly thumbprint: string
  readonly key: JsonWebKey
}

export function testCertificate(): TestCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  const der = Buffer.concat([Buffer.from([0x30, 0x82, 0x02, 0x00]), randomBytes(512)])
  const lines = der.toString('base64').replace(/(.{64})/g, '$1\n')
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    thumbprint: createHash('sha256').update(der).digest('base64url'),
    key: publicKey.export({ format: 'jwk' }),
  }
}
