import * as z from 'zod/mini'
import { plainOptions } from '../../src/checks/index.ts'
import { checkConfig } from '../../src/config/check-config.ts'
import type {
  CacheStats,
  EnvelopeCipher,
  KeyManagementService,
  MessageKind,
} from '../../src/index.ts'
import type { KmsMetricsSnapshot } from '../../src/observability/index.ts'
import { MAX_HOLD_BYTES } from './env-options.ts'
import { type HostRule, isHostName } from './host-names.ts'

/** Every kind that has a body. */
const KINDS = ['stream', 'record', 'stream-by-reference', 'record-by-reference'] as const

/** Options of {@link createGateway}. */
export interface GatewayOptions {
  readonly cipher: EnvelopeCipher
  /** `/readyz` asks it, and `/v1/inspect` whether an envelope is for one of the configured keys. */
  readonly kms: KeyManagementService
  /** Returns the counts of the cache for `/metrics`, e.g. `() => cached.stats()`. */
  readonly cacheStats?: () => CacheStats
  /** More families for `/metrics`: those of the stack below, e.g. a `KmsMetrics` of `edge-kms/observability`. */
  readonly metrics?: { snapshot(): KmsMetricsSnapshot }
  /** Kinds of message that `/v1/decrypt` opens; by default all that have a body. */
  readonly kinds?: readonly Exclude<MessageKind, 'data-key-record'>[]
  /**
   * Exact host names that the gateway answers to besides `localhost` and the loopback addresses: in
   * lower case, without a port and without wildcards. None by default; `any` answers to all.
   *
   * @remarks Security: the gateway has no authentication. Anyone who reaches it can encrypt and decrypt. Name hosts
   * only if something in front of the gateway authorizes callers.
   */
  readonly hosts?: HostRule
  /**
   * Longest request, by its stated length in bytes, whose answer is held in memory until it is complete, 0 to
   * 67,108,864; 1,048,576 by default. A failure is then always a clean problem document, and the gateway works behind
   * a proxy that cannot send and receive at once, such as nginx. Larger answers are streamed.
   */
  readonly holdBytes?: number
  /** How long `/readyz` waits for the KMS, in milliseconds, 1 to 60,000; 5,000 by default. */
  readonly readyTimeoutMs?: number
}

/** The options with their defaults. */
export type GatewaySettings = GatewayOptions &
  Required<Pick<GatewayOptions, 'kinds' | 'hosts' | 'holdBytes' | 'readyTimeoutMs'>>

const HOSTS = '"any" or an array of exact host names: lower case, no port, no wildcard'
const SCHEMA = z.strictObject({
  cipher: typed<EnvelopeCipher>(
    'an EnvelopeCipher',
    hasMethods('encryptStream', 'decryptStream', 'rewrapStream'),
  ),
  kms: typed<KeyManagementService>(
    'a KeyManagementService',
    hasMethods('canUnwrap', 'healthCheck', 'unwrapDataKey'),
  ),
  cacheStats: z.optional(typed<() => CacheStats>('a function', isFunction)),
  metrics: z.optional(
    typed<{ snapshot(): KmsMetricsSnapshot }>('an object with snapshot()', hasMethods('snapshot')),
  ),
  kinds: z._default(z.array(z.enum(KINDS)).check(z.minLength(1)), [...KINDS]),
  hosts: z._default(typed<HostRule>(HOSTS, isHostRule), []),
  holdBytes: z._default(z.int().check(z.minimum(0), z.maximum(MAX_HOLD_BYTES)), 1_048_576),
  readyTimeoutMs: z._default(z.int().check(z.minimum(1), z.maximum(60_000)), 5_000),
})

/**
 * Returns the options with their defaults.
 *
 * @throws KmsError `ERR_KMS_CONFIG` for a missing, wrong or unknown option
 */
export function settingsOf(options: GatewayOptions): GatewaySettings {
  return checkConfig<GatewaySettings>(
    SCHEMA as z.ZodMiniType<GatewaySettings>,
    plainOptions(options),
  )
}

function typed<T>(expected: string, test: (value: unknown) => boolean): z.ZodMiniType<T> {
  return z.custom<T>(test, { error: expected })
}

function hasMethods(...names: readonly string[]): (value: unknown) => boolean {
  return (value) => {
    if (typeof value !== 'object' || value === null) return false
    return names.every((name) => isFunction((value as Readonly<Record<string, unknown>>)[name]))
  }
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function'
}

function isHostRule(value: unknown): boolean {
  return value === 'any' || (Array.isArray(value) && value.every(isHostName))
}
