import {
  configError,
  demandMethods,
  integer,
  oneOf,
  plainOptions,
  refuseOthers,
  wrongOption,
} from '../checks/index.ts'
import type { KeyManagementService, KmsSignalOptions } from '../kms/index.ts'
import type { Network, Observer, Runtime } from '../ports/index.ts'
import { keepAlive, untilAborted, webNetwork, webRuntime } from '../runtime/index.ts'
import { AuditChain } from './audit-chain.ts'
import { type AuditCheckpoints, Checkpointer, type CheckpointPorts } from './audit-checkpoints.ts'
import { type KmsAuditEvent, redacted } from './audit-event.ts'
import { type AuditMacKey, keyedDigest, plainDigest } from './audit-keys.ts'
import { AuditKms } from './audit-kms.ts'
import { AuditQueue } from './audit-queue.ts'
import type { AuditCheckpoint, AuditSink } from './audit-record.ts'

/** Options of {@link KmsAuditTrail}. */
export interface KmsAuditTrailOptions {
  readonly sink: AuditSink
  /**
   * `closed`: an operation fails if its record could not be written, and its DEK is wiped. `open`: the operation
   * succeeds, and the loss is counted. You must choose one.
   */
  readonly mode: 'open' | 'closed'
  /** Returns the actor of the current operation, e.g. a user's id; called for each operation. */
  readonly actor?: (() => string) | undefined
  /** Makes changes to the log detectable. Without it, you must trust the place that holds the log. */
  readonly chain?: AuditChainOptions | undefined
  /** The longest write of the sink or of a checkpoint, retries included, in milliseconds: 1,000 by default, at most 60,000. */
  readonly timeoutMs?: number | undefined
  /**
   * The most bytes of records (as JSON) in memory: 16 MiB by default, which is about 40,000 records; 1,024 to
   * 1 GiB. An event that finds the queue full is lost, and its operation fails if the mode is `closed`.
   */
  readonly maxQueueBytes?: number | undefined
  readonly runtime?: Runtime | undefined
  readonly network?: Network | undefined
  readonly observer?: Observer | undefined
}

/** How records are protected. Give at least one of the two, because anyone can compute plain hashes. */
export interface AuditChainOptions {
  /** Authenticates each record with HMAC-SHA-256. Keep it from those who can change the log. */
  readonly macKey?: AuditMacKey | undefined
  readonly checkpoints?: AuditCheckpoints | undefined
}

/**
 * Records every operation of a KMS, for {@link verifyAuditLog}.
 *
 * @example
 * ```ts
 * import { composeKms, type KeyManagementService } from 'edge-kms'
 * import { KmsAuditTrail, lineSink } from 'edge-kms/observability'
 *
 * export function audited(kms: KeyManagementService, macKey: string) {
 *   const sink = lineSink((line) => console.log(line))
 *   const audit = new KmsAuditTrail({ mode: 'closed', sink, chain: { macKey } })
 *   return composeKms(kms, { preset: 'highSecurity', audit })
 * }
 * ```
 */
export class KmsAuditTrail {
  readonly mode: 'open' | 'closed'
  readonly #actor: (() => unknown) | undefined
  readonly #runtime: Runtime
  readonly #hasCheckpoints: boolean
  readonly #queue: AuditQueue

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: KmsAuditTrailOptions) {
    if (Object(options) !== options) throw wrongOption('options', 'an object', options)
    const {
      sink,
      mode,
      actor,
      chain,
      timeoutMs = 1_000,
      maxQueueBytes = 16_777_216,
      ...rest
    } = plainOptions(options)
    const { runtime = webRuntime, network = webNetwork, observer, ...others } = rest
    refuseOthers(others)
    this.mode = oneOf('mode', mode, ['open', 'closed'])
    demandMethods('sink', sink, ['write'])
    if (actor !== undefined && typeof actor !== 'function')
      throw wrongOption('actor', 'a function', actor)
    demandMethods('runtime', runtime, ['now', 'randomFill'])
    demandMethods('network', network, ['after'])
    if (observer !== undefined) demandMethods('observer', observer, ['observe'])
    integer('timeoutMs', timeoutMs, 1, 60_000)
    integer('maxQueueBytes', maxQueueBytes, 1_024, 1_073_741_824)
    this.#actor = actor
    this.#runtime = runtime
    const protection = protectionOf(chain, { runtime, network, timeoutMs })
    this.#hasCheckpoints = protection.checkpointer !== undefined
    const bounds = { sink, mode, timeoutMs, maxQueueBytes }
    this.#queue = new AuditQueue({ ...bounds, ...protection, runtime, network, observer })
  }

  /**
   * Returns the service, with every operation recorded.
   *
   * @throws KmsError `ERR_KMS_CONFIG`
   */
  around(kms: KeyManagementService): KeyManagementService {
    demandMethods('kms', kms, ['canUnwrap', 'generateDataKey', 'unwrapDataKey'])
    return new AuditKms(kms, this, this.#runtime)
  }

  /** Returns who asks now, or an empty text: an error that the application throws here does not name an actor. */
  actor(): string {
    try {
      const name: unknown = this.#actor?.()
      // An async function is a mistake, and its rejection would end a Node process.
      if (typeof name === 'object') Promise.resolve(name).catch(() => undefined)
      return typeof name === 'string' ? name : ''
    } catch {
      return ''
    }
  }

  /**
   * Records one event. In mode `open` it does not wait.
   *
   * @throws KmsError `ERR_STORE_UNAVAILABLE` in mode `closed`, if a record is not safe or the log is not covered by checkpoints
   */
  async record(events: readonly KmsAuditEvent[], options: KmsSignalOptions): Promise<void> {
    if (events.length === 0) return
    const { signal, defer } = options
    const settled = this.#queue.write(events.map(redacted), defer)
    // The caller may be gone by then; the record is still to be written.
    if (defer !== undefined || this.mode === 'open') {
      const quiet = settled.catch(() => undefined)
      keepAlive(defer, quiet)
    }
    if (this.mode === 'closed') await untilAborted(settled, signal)
  }

  /**
   * Writes the queued records, then signs and stores a checkpoint. Call it at the end of a process, or on a schedule.
   * Returns `undefined` without `chain.checkpoints`, or if nothing was ever recorded.
   *
   * @throws KmsError `ERR_STORE_UNAVAILABLE` if a record or the checkpoint could not be written
   */
  async checkpoint(): Promise<AuditCheckpoint | undefined> {
    return this.#hasCheckpoints ? this.#queue.checkpoint() : undefined
  }
}

function protectionOf(
  chain: AuditChainOptions | undefined,
  ports: CheckpointPorts,
): { readonly chain: AuditChain; readonly checkpointer: Checkpointer | undefined } {
  const { runtime } = ports
  if (chain === undefined)
    return { chain: new AuditChain(runtime, undefined, 'SHA-256'), checkpointer: undefined }
  if (Object(chain) !== chain) throw wrongOption('chain', 'an object', chain)
  const { macKey, checkpoints, ...others } = plainOptions(chain)
  refuseOthers(others)
  if (macKey === undefined && checkpoints === undefined)
    throw configError(
      'chain requires macKey, checkpoints, or both: anyone can compute plain hashes',
    )
  return {
    chain:
      macKey === undefined
        ? new AuditChain(runtime, plainDigest, 'SHA-256')
        : new AuditChain(runtime, keyedDigest('chain.macKey', macKey), 'HMAC-SHA-256'),
    checkpointer: checkpoints === undefined ? undefined : new Checkpointer(checkpoints, ports),
  }
}
