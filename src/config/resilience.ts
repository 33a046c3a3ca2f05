import * as z from 'zod/mini'
import {
  DATA_KEY_OPTIONS,
  type DataKeyOption,
  type KmsCacheConfig,
  type DataKeyOptions,
} from '../data-keys/index.ts'
import type {
  BulkheadConfig,
  CircuitBreakerConfig,
  HedgeConfig,
  ResilienceConfig,
  RetryConfig,
  WritePolicy,
} from '../resilience/index.ts'
import { type CheckedConfig, type KmsConfig, kmsConfigSchema } from './kms-config.ts'
import { integer, type Shape } from './schemas.ts'

/** A whole stack as plain JSON: one KMS or several, and what `composeKms` takes. */
export interface ResilientKmsConfig extends ResilienceConfig {
  /** Several: each wraps every data key, and any one of them opens it. */
  readonly kms: KmsConfig | readonly KmsConfig[]
  /** Values over those of the preset. */
  readonly cache?: ResilientCacheConfig | undefined
}

/** The cache of data keys and its limits; units and bounds are those of `CachedKms`. */
export interface ResilientCacheConfig
  extends
    Omit<KmsCacheConfig, 'network' | 'shared'>,
    Omit<DataKeyOptions, 'kms' | 'dataKeyStore' | 'runtime' | 'network'> {}

/** After the check an option that is absent may also be there as `undefined`. */
type Loose<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [K in keyof T]: Loose<T[K]> | (object extends Pick<T, K> ? undefined : never) }
    : T

/** A configuration after the check: references are marked. */
export interface CheckedResilientConfig extends Loose<Omit<ResilientKmsConfig, 'kms'>> {
  readonly kms: CheckedConfig | readonly CheckedConfig[]
}

const PRESET_NAMES = ['development', 'production', 'highAvailability', 'highSecurity'] as const
const rate = z.optional(z.number().check(z.gt(0), z.lte(1)))

const retry = z.strictObject({
  maxAttempts: integer(1, 10),
  baseDelayMs: integer(1, 60_000),
  throttleDelayMs: integer(1, 60_000),
  maxDelayMs: integer(1, 300_000),
  budget: integer(0, 1_000_000),
  retryCost: integer(1, 1_000_000),
  throttleCost: integer(1, 1_000_000),
} satisfies Shape<RetryConfig>)

const circuitBreaker = z.strictObject({
  failureThreshold: integer(1, 1_000),
  failureRate: rate,
  windowMs: integer(1_000, 600_000),
  minCalls: integer(1, 10_000),
  resetTimeoutMs: integer(100, 600_000),
  successThreshold: integer(1, 100),
} satisfies Shape<CircuitBreakerConfig>)

const bulkhead = z.strictObject({
  maxConcurrent: integer(1, 1_000),
  maxQueue: integer(0, 10_000),
  maxWaitMs: integer(1, 60_000),
} satisfies Shape<Omit<BulkheadConfig, 'maxHoldMs'>>)

const quorum = z.strictObject({
  quorum: z.int().check(z.gte(1), z.lte(16)),
  graceMs: integer(0, 60_000),
} satisfies Shape<Exclude<WritePolicy, 'all'>>)

const hedge = z.strictObject({
  afterMs: z.int().check(z.gte(1), z.lte(60_000)),
  budget: rate,
} satisfies Shape<HedgeConfig>)

/** An integer option of data keys or their cache. */
function dataKeyOption(name: DataKeyOption): ReturnType<typeof integer> {
  const { least, most } = DATA_KEY_OPTIONS[name]
  return integer(least, most)
}

const cache = z.strictObject({
  ttlMs: dataKeyOption('ttlMs'),
  maxEntries: dataKeyOption('maxEntries'),
  refreshAheadMs: integer(0, DATA_KEY_OPTIONS.ttlMs.most),
  maxStaleMs: dataKeyOption('maxStaleMs'),
  maxStaleWriteMs: dataKeyOption('maxStaleWriteMs'),
  encryptForMs: dataKeyOption('encryptForMs'),
  maxMessages: dataKeyOption('maxMessages'),
  maxWraps: dataKeyOption('maxWraps'),
  callTimeoutMs: dataKeyOption('callTimeoutMs'),
  requiredContextKeys: z.optional(z.array(z.string())),
} satisfies Shape<ResilientCacheConfig>)

const off = z.literal(false)

/** The schema of a stack; its JSON Schema is made of it. */
export const resilientConfigSchema: z.ZodMiniType<
  CheckedResilientConfig,
  Loose<ResilientKmsConfig>
> = z.strictObject({
  kms: z.union([kmsConfigSchema, z.array(kmsConfigSchema).check(z.minLength(1))]),
  preset: z.optional(z.enum(PRESET_NAMES)),
  deadlineMs: integer(1, 900_000),
  attemptTimeoutMs: integer(1, 900_000),
  retry: z.optional(z.union([off, retry])),
  circuitBreaker: z.optional(z.union([off, circuitBreaker])),
  bulkhead: z.optional(bulkhead),
  writePolicy: z.optional(z.union([z.literal('all'), quorum])),
  order: z.optional(z.enum(['configured', 'fastest'])),
  hedge: z.optional(z.union([off, hedge])),
  scopes: z.optional(z.array(z.string())),
  cache: z.optional(cache),
} satisfies Shape<ResilientKmsConfig>)
