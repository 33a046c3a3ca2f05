import type { KeyManagementService } from '../../kms/index.ts'
import { LocalKms, type LocalKmsOptions } from './local-kms.ts'

/**
 * Returns a KMS whose KEK is in the memory of this process. Wraps are AES-256-GCM under the highest version, bound to
 * the context (`docs/wire-format.md`, section 3).
 *
 * @remarks Security: anyone who can read this process's memory or its configuration has the KEK. Use a real KMS for
 * data that outlives a test.
 * @throws KmsError `ERR_KMS_CONFIG`
 *
 * @example
 * ```ts
 * import { EnvelopeCipher } from 'edge-kms'
 * import { createLocalKms } from 'edge-kms/local'
 *
 * const key = crypto.getRandomValues(new Uint8Array(32))
 * const cipher = new EnvelopeCipher({ kms: createLocalKms({ versions: [{ version: 1, key }] }) })
 * const text = await cipher.encryptText('4111 1111', { context: { tenant: 'acme' } })
 * await cipher.decryptText(text, { context: { tenant: 'acme' } }) // '4111 1111'
 * ```
 */
export function createLocalKms(options: LocalKmsOptions): KeyManagementService {
  return new LocalKms(options)
}
