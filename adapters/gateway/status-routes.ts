import { type HealthReport, KMS_ERROR_CODES, KmsError } from '../../src/index.ts'
import { helpText } from './help.ts'
import type { Handler } from './message-routes.ts'
import type { GatewayMetrics } from './metrics.ts'
import type { GatewayOptions } from './options.ts'
import { answer, jsonAnswer } from './response.ts'

/** The routes that take no message. Only `readyz` asks the KMS. */
export function statusRoutes(
  { kms, cacheStats, metrics: stack }: GatewayOptions,
  metrics: GatewayMetrics,
): Readonly<Record<'help' | 'healthz' | 'readyz' | 'metrics', Handler>> {
  return {
    help: ({ request }) =>
      answer(helpText(new URL(request.url).origin), 'text/plain; charset=utf-8'),

    healthz: () => jsonAnswer({ healthy: true }),

    readyz: async ({ options }) => {
      const report = await kms.healthCheck(options)
      if (!report.healthy) throw notReady(report)
      return jsonAnswer(report)
    },

    metrics: () =>
      answer(
        metrics.render(cacheStats?.()) + (stack?.toPrometheus() ?? ''),
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
