import type {
  CacheStats,
  EnvelopeCipher,
  KeyManagementService,
  MessageKind,
} from '../../src/index.ts'

/** Options of {@link createGateway}. */
export interface GatewayOptions {
  readonly cipher: EnvelopeCipher
  /** What readiness asks, and what knows whether an envelope is for one of the configured keys. */
  readonly kms: KeyManagementService
  /** The numbers of the cache for `/metrics`, e.g. `() => cached.stats()`. */
  readonly cacheStats?: () => CacheStats
  /** More lines for `/metrics`: those of the stack below, e.g. a `KmsMetrics` of `edge-kms/observability`. */
  readonly metrics?: { toPrometheus(): string }
  /** Kinds of message that `/v1/decrypt` opens; by default all that have a body. */
  readonly kinds?: readonly MessageKind[]
  /**
   * Host names, in lower case and without a port, that the gateway answers to besides `localhost`
   * and the loopback addresses; none by default. `any` answers to all.
   *
   * @remarks Security: the gateway has no authentication. Whoever reaches it can encrypt and
   * decrypt. Name hosts only where something in front of it decides who may call.
   */
  readonly hosts?: readonly string[] | 'any'
}
