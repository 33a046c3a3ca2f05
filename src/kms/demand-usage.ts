import { KmsError } from '../errors.ts'
import type { KmsCapabilities } from './capabilities.ts'
import type { KeyManagementService } from './key-management-service.ts'

/**
 * Refuses what an instance is not configured for.
 *
 * @throws KmsError `ERR_KMS_UNSUPPORTED`
 */
export function demandUsage(
  {
    capabilities: { usage },
    providerName: provider,
  }: Pick<KeyManagementService, 'capabilities' | 'providerName'>,
  use: KmsCapabilities['usage'],
): void {
  if (usage === 'both' || usage === use) return
  throw new KmsError('ERR_KMS_UNSUPPORTED', {
    message: `this KMS has usage ${usage}, and must have ${use}`,
    provider,
  })
}
