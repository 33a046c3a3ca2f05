import { crc32c, encodeBase64 } from '../../../../src/bytes/index.ts'
import { encodeKmsContext, type WrappedKey } from '../../../../src/kms/index.ts'
import { createGcpKms, type GcpKmsOptions } from '../../../../src/providers/gcp-kms/index.ts'
import { type Answer, testPorts } from '../../credentials/aws/ports.ts'

export const keyName = 'projects/acme-prod/locations/europe-west3/keyRings/app/cryptoKeys/data'
export const version = (n: string | number) => `${keyName}/cryptoKeyVersions/${String(n)}`
export const context = { 'edge-kms:dk': 'salt.1' }
export const aad = encodeKmsContext(context)

/** Bytes as a member of an answer, with their checksum. */
export function withSum(name: string, bytes: Uint8Array): Record<string, string> {
  return { [name]: encodeBase64(bytes), [`${name}Crc32c`]: String(crc32c(bytes)) }
}

export const wrapped = new Uint8Array(113).fill(7)
export const wrap: WrappedKey = { provider: 'gcp-kms', kekId: keyName, kekVersion: '1', wrapped }

/** A provider over a server that the test plays. */
export function over(answer: Answer, options: Partial<GcpKmsOptions> = {}) {
  const ports = testPorts(answer)
  const { runtime, network } = ports
  const credentials = { token: 'ya29.canary-token' }
  return { kms: createGcpKms({ keyName, credentials, runtime, network, ...options }), ports }
}
