import type { SharedDataKeys } from '../data-keys/index.ts'
import type { CallOptions, SourceCipherOptions } from '../envelope/index.ts'
import type { KeyManagementService, KmsFromEnvOptions } from '../kms/index.ts'
import type { DataKeyStore, KeyValueStore, NetworkResponse } from '../ports/index.ts'
import type {
  ComposeKmsOptions,
  JoinKms,
  PresetName,
  ResilienceConfig,
} from '../resilience/index.ts'
import type { StackCacheConfig } from './compose-stack.ts'

/** A whole stack that a source describes instead of one KMS: one or several KMSs, with their options. */
export interface StackPlan {
  /** One KMS or several. Several require `join`. */
  readonly kms: KeyManagementService | readonly KeyManagementService[]
  /** `joinKms`, for several KMSs: without it, a bundle with one KMS carries no code for more. */
  readonly join?: JoinKms | undefined
  readonly resilience?: ResilienceConfig | undefined
  readonly cache?: StackCacheConfig | undefined
  /** `false`: none, whatever the platform's default is. */
  readonly circuitStore?: KeyValueStore | false | undefined
  /** `false`: none, whatever the platform's default is. */
  readonly shared?: SharedDataKeys | false | undefined
}

/** The options of a source of KMSs, beside the environment. */
export interface KmsSourceOptions extends KmsFromEnvOptions {
  /** Stores by name, for configurations that name one, such as those that `storeBindings` of `edge-kms/workers` returns. */
  readonly bindings?: Readonly<Record<string, KeyValueStore>> | undefined
}

/**
 * Makes a KMS, or the plan of a stack, from an environment: `awsKmsFromEnv` and its like, `anyKmsFromEnv`, or a function
 * of your own, such as one that gives `awsKmsFromEnv` further options.
 */
export interface KmsSource {
  (env: object, options: KmsSourceOptions): KeyManagementService | StackPlan
  /** The variables that select it. Required if you pass several sources. */
  readonly variables?: readonly string[]
}

/** Options of {@link stackFromEnv}. */
export interface StackFromEnvOptions
  extends
    KmsSourceOptions,
    Pick<ComposeKmsOptions, 'observer' | 'audit' | 'repairs'>,
    Omit<SourceCipherOptions, 'keys'> {
  /** Makes the KMS. If you pass several, the one whose variable is set makes it. */
  readonly kms: KmsSource | readonly KmsSource[]
  /** A preset by its name, or what `composeKms` takes; the preset `production` by default. */
  readonly resilience?: PresetName | ResilienceConfig | undefined
  /** Overrides values of the preset. `false` turns the cache off: each message gets its own data key. */
  readonly cache?: StackCacheConfig | false | undefined
  /** Data keys that processes share: `sharedDataKeys` of `edge-kms/shared-keys`. */
  readonly shared?: SharedDataKeys | undefined
  /** The store in which isolates share their circuits. */
  readonly circuitStore?: KeyValueStore | undefined
  /** The store of data-key records, for messages by reference. */
  readonly dataKeyStore?: DataKeyStore | undefined
  /** Keeps background work alive for calls without their own `defer`, e.g. `waitUntil` of `cloudflare:workers`. */
  readonly defer?: CallOptions['defer']
  /** Sends the requests instead of the platform's `fetch`, e.g. that of a binding. Excludes `network`. */
  readonly fetch?: ((url: string, init: RequestInit) => Promise<NetworkResponse>) | undefined
}
