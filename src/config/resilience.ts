import * as z from 'zod/mini'
import type { Bound } from '../checks/index.ts'
import { DATA_KEY_OPTIONS } from '../data-keys/index.ts'
import {
  BULKHEAD,
  type BulkheadConfig,
  CIRCUIT,
  type CircuitBreakerConfig,
  HEDGE,
  type HedgeConfig,
  QUORUM,
  type ResilienceConfig,
  RETRY,
  type RetryConfig,
  TIMEOUTS,
  type WritePolicy,
} from '../resilience/index.ts'
import type { StackCacheConfig } from '../stack/index.ts'
import { type CheckedConfig, type KmsConfig, kmsConfigSchema } from './kms-config.ts'
import { integer, type SelfDescribed, selfDescribed, type Shape } from './schemas.ts'
import {
  type CheckedShared,
  type SharedDataKeysConfig,
  sharedSchema,
  type StoreBinding,
  storeBinding,
} from './stores.ts'

/** A whole stack as plain JSON: one KMS or several, and what `composeKms` takes. */
export interface ResilientKmsConfig extends SelfDescribed, ResilienceConfig {
  /** One KMS, or several: each wraps every data key, and any one of them opens it. */
  readonly kms: KmsConfig | readonly KmsConfig[]
  /** Overrides values of the preset. */
  readonly cache?: ResilientCacheConfig | undefined
  /** The store in which isolates share their circuits; `false`: none, even if the platform has a default. */
  readonly circuitStore?: StoreBinding | false | undefined
  /** Data keys that processes share; `false`: none, even if the platform has a default. */
  readonly shared?: SharedDataKeysConfig | false | undefined
}

/** The cache of data keys and its limits; units and bounds are those of `CachedKms`. */
export type ResilientCacheConfig = StackCacheConfig

/** After the check an option that is absent may also be there as `undefined`. */
type Loose<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [K in keyof T]: Loose<T[K]> | (object extends Pick<T, K> ? undefined : never) }
    : T

/** A configuration after the check: references are marked. */
export interface CheckedResilientConfig extends Loose<Omit<ResilientKmsConfig, 'kms' | 'shared'>> {
  readonly kms: CheckedConfig | readonly CheckedConfig[]
  readonly shared?: CheckedShared | false | undefined
}

const PRESET_NAMES = ['development', 'production', 'highAvailability', 'highSecurity'] as const

const retry = () => z.strictObject(shapeOf(RETRY) satisfies Shape<RetryConfig>)
const circuitBreaker = () => z.strictObject(shapeOf(CIRCUIT) satisfies Shape<CircuitBreakerConfig>)
const bulkhead = () =>
  z.strictObject(shapeOf(BULKHEAD) satisfies Shape<Omit<BulkheadConfig, 'maxHoldMs'>>)

const quorum = () =>
  z.strictObject({
    ...shapeOf(QUORUM),
    quorum: required(QUORUM.quorum),
  } satisfies Shape<Exclude<WritePolicy, 'all'>>)

const hedge = () =>
  z.strictObject({
    ...shapeOf(HEDGE),
    afterMs: required(HEDGE.afterMs),
  } satisfies Shape<HedgeConfig>)

const cache = () =>
  z.strictObject({
    ...shapeOf(DATA_KEY_OPTIONS),
    refreshAheadMs: integer(0, DATA_KEY_OPTIONS.ttlMs.most),
    requiredContextKeys: z.optional(z.array(z.string())),
  } satisfies Shape<ResilientCacheConfig>)

const off = () => z.literal(false)

const stack = () =>
  z.strictObject({
    ...selfDescribed,
    kms: z.union([kmsConfigSchema, z.array(kmsConfigSchema).check(z.minLength(1))]),
    preset: z.optional(z.enum(PRESET_NAMES)),
    ...shapeOf(TIMEOUTS),
    retry: z.optional(z.union([off(), retry()])),
    circuitBreaker: z.optional(z.union([off(), circuitBreaker()])),
    bulkhead: z.optional(bulkhead()),
    writePolicy: z.optional(z.union([z.literal('all'), quorum()])),
    order: z.optional(z.enum(['configured', 'fastest'])),
    hedge: z.optional(z.union([off(), hedge()])),
    scopes: z.optional(z.array(z.string())),
    cache: z.optional(cache()),
    circuitStore: z.optional(z.union([off(), storeBinding()])),
    shared: z.optional(z.union([off(), sharedSchema()])),
  } satisfies Shape<ResilientKmsConfig>)

/**
 * The schema of a stack; its JSON Schema is made of it. One call without effects, so that a bundle that only
 * has `createKms` drops it with all its parts.
 */
export const resilientConfigSchema: z.ZodMiniType<
  CheckedResilientConfig,
  Loose<ResilientKmsConfig>
> = /* @__PURE__ */ stack()

type Optional = z.ZodMiniOptional<z.ZodMiniType<number, number>>

/** Returns the schemas of a group of numbers, each of which may be left out. */
function shapeOf<K extends string>(
  bounds: Readonly<Record<K, Bound>>,
): { readonly [N in K]: Optional } {
  const entries = Object.entries<Bound>(bounds)
  const shape = entries.map(([name, bound]) => [name, z.optional(required(bound))] as const)
  return Object.fromEntries(shape) as { readonly [N in K]: Optional }
}

function required({ least, most, isShare }: Bound): z.ZodMiniType<number, number> {
  return isShare
    ? z.number().check(z.gt(least), z.lte(most))
    : z.int().check(z.gte(least), z.lte(most))
}
