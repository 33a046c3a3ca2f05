import { typedError } from '../errors.ts'
import {
  checkAnswer,
  type HealthReport,
  isReport,
  type KeyManagementService,
  type KmsCapabilities,
  type KmsKekOptions,
} from '../kms/index.ts'

/** Returns what several KMSs can do together. */
export function combinedCapabilities(
  read: readonly KeyManagementService[],
  write: readonly KeyManagementService[],
): KmsCapabilities {
  const all = [...read, ...write].map((kms) => kms.capabilities)
  return {
    usage: write.length === 0 ? 'decrypt' : read.length === 0 ? 'encrypt' : 'both',
    bindsContext: all.every((one) => one.bindsContext),
    rewrapsInside: false,
    rotates: write.length > 0 && write.every((kms) => kms.capabilities.rotates),
    revealsVersion: all.every((one) => one.revealsVersion),
    batches: read.some((kms) => kms.capabilities.batches),
    wraps: write.length,
    ...(all.some((one) => one.keksByContext) && { keksByContext: true as const }),
    limits: {
      maxWrappedBytes: Math.max(...all.map((one) => one.limits.maxWrappedBytes)),
      maxContextBytes: Math.min(...all.map((one) => one.limits.maxContextBytes)),
    },
  }
}

/** Returns the report of one member. One that rejects, or reports nonsense, is not healthy. */
export async function memberReport(
  kms: KeyManagementService,
  options: KmsKekOptions,
): Promise<HealthReport> {
  const { providerName: provider } = kms
  try {
    return checkAnswer(provider, await kms.healthCheck(options), isReport)
  } catch (error) {
    const { code } = typedError(error, 'ERR_KMS_UNAVAILABLE', options.signal)
    return { healthy: false, checks: [{ provider, kekId: '', healthy: false, code }] }
  }
}

/**
 * Returns the report of some of many customers' KMSs. It is healthy if one is, or if there are none: one
 * customer's outage must not make the process unready, and an outage of all most likely is ours.
 */
export async function someReport(
  some: readonly KeyManagementService[],
  options: KmsKekOptions,
): Promise<HealthReport> {
  const reports = await Promise.all(some.map((kms) => memberReport(kms, options)))
  return {
    healthy: reports.length === 0 || reports.some(({ healthy }) => healthy),
    checks: reports.flatMap(({ checks }) => checks),
  }
}

export function canRead({ capabilities: { usage } }: KeyManagementService): boolean {
  return usage !== 'encrypt'
}

export function canWrite({ capabilities: { usage } }: KeyManagementService): boolean {
  return usage !== 'decrypt'
}
