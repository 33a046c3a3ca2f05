import { type HealthReport, KMS_ERROR_CODES, KmsError } from '../../src/index.ts'
import { webNetwork, withTimeout } from '../../src/runtime/index.ts'
import { helpText } from './help.ts'
import type { Call, Handler } from './message-routes.ts'
import type { GatewayMetrics } from './metrics.ts'
import type { GatewaySettings } from './options.ts'
import { answer, jsonAnswer } from './response.ts'

/** Returns the routes that take no message. Only `readyz` asks the KMS. */
export function statusRoutes(
  { kms, cacheStats, metrics: stack, readyTimeoutMs }: GatewaySettings,
  metrics: GatewayMetrics,
): Readonly<Record<'help' | 'healthz' | 'readyz' | 'metrics', Handler>> {
  /** A probe that never answers looks like a process that hangs. */
  function healthWithin({ options }: Call): Promise<HealthReport> {
    return withTimeout((signal) => kms.healthCheck({ ...options, signal }), {
      timeoutMs: readyTimeoutMs,
      network: webNetwork,
      error: () => new KmsError('ERR_KMS_TIMEOUT'),
    })
  }

  return {
    help: ({ url }) => answer(helpText(url.origin), 'text/plain; charset=utf-8'),

    healthz: () => jsonAnswer({ healthy: true }),

    readyz: async (call) => {
      const report = await healthWithin(call)
      if (!report.healthy) throw notReady(report)
      return jsonAnswer(report)
    },

    metrics: () =>
      answer(
        metrics.render(cacheStats?.(), stack?.snapshot().metrics ?? []),
        'text/plain; version=0.0.4; charset=utf-8',
      ),
  }
}

/** The first KEK that cannot be used gives the code; a code that is not ours counts as an outage. */
function notReady(report: HealthReport): KmsError {
  const check = report.checks.find(({ healthy }) => !healthy)
  const code = KMS_ERROR_CODES.find((known) => known === check?.code) ?? 'ERR_KMS_UNAVAILABLE'
  return new KmsError(code, {
    retryable: true,
    ...(check !== undefined && { provider: check.provider }),
  })
}
