import { configError, integer } from '../../src/checks/index.ts'
import { type HostRule, isHostName } from './host-names.ts'

/** The longest answer that can be held, in bytes: an isolate of Workers has 128 MiB in all. */
export const MAX_HOLD_BYTES = 67_108_864

/**
 * Returns the options that the variables `EDGE_KMS_GATEWAY_…` set.
 *
 * @throws KmsError `ERR_KMS_CONFIG` for a variable with a wrong value
 */
export function gatewayOptionsFromEnv(given: object): {
  readonly hosts: HostRule
  readonly holdBytes?: number
} {
  const env = given as Readonly<Record<string, unknown>>
  const hosts = hostsOf(env['EDGE_KMS_GATEWAY_HOSTS'])
  const name = 'EDGE_KMS_GATEWAY_HOLD_BYTES'
  const text = env[name]
  if (typeof text !== 'string' || text === '') return { hosts }
  const bytes = /^\d{1,15}$/.test(text) ? Number(text) : NaN
  return { hosts, holdBytes: integer(name, bytes, 0, MAX_HOLD_BYTES) }
}

/** Names with commas between them, or `*`. Unset or empty: the names of this machine only. */
function hostsOf(list: unknown): HostRule {
  if (typeof list !== 'string') return []
  if (list.trim() === '*') return 'any'
  const names = list.split(',').flatMap((name) => name.trim().toLowerCase() || [])
  const wrong = names.find((name) => !isHostName(name))
  if (wrong === undefined) return names
  throw configError(
    `EDGE_KMS_GATEWAY_HOSTS must be * or exact host names without ports, with commas between them, got ${JSON.stringify(wrong)}`,
  )
}
