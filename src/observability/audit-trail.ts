import { refuseOthers, wrongOption } from '../checks/index.ts'
import { KmsError } from '../errors.ts'
import { type KeyManagementService, type KmsSignalOptions } from '../kms/index.ts'
import type { Network, Observer, Runtime } from '../ports/index.ts'
import { notify, sleep, webNetwork, webRuntime } from '../runtime/index.ts'
import { AuditChain, type Pending } from './audit-chain.ts'
import { type AuditCheckpoint, type AuditSink, type KmsAuditEvent, frozen } from './audit-event.ts'
import { AuditKms } from './audit-kms.ts'
import { isCheckpointKey } from './checkpoint-key.ts'

/** Options of {@link KmsAuditTrail}. */
export interface KmsAuditTrailOptions {
  readonly sink: AuditSink
  /**
   * `closed`: an operation whose record is not safe fails, and what it brought is wiped. `open`: it
   * goes on, and the loss is told to the observer. There is no default: it must be said.
   */
  readonly mode: 'open' | 'closed'
  /** Who asks, at this moment; called for each operation. */
  readonly actor?: (() => string) | undefined
  readonly checkpoints?: AuditCheckpoints | undefined
  /** How long a write may take, in milliseconds: 1,000 by default, at most 60,000. */
  readonly timeoutMs?: number | undefined
  readonly runtime?: Runtime | undefined
  readonly network?: Network | undefined
  readonly observer?: Observer | undefined
}

/** Signed statements of how far the chain goes: without them nobody sees that its end was cut off. */
export interface AuditCheckpoints {
  /** A private key for ECDSA over P-256. */
  readonly key: CryptoKey
  /**
   * Where they go: somewhere that whoever can change the log cannot.
   */
  readonly write: (checkpoint: AuditCheckpoint) => Promise<void>
  /**
   * After so many records: 100 by default, 1 to 1,000,000. What comes after the last one is not covered. One
   * that cannot be written is tried again with the next record; fail-closed, operations fail from twice as
   * many records on.
   */
  readonly every?: number | undefined
}

/**
 * A record of every operation, in a chain of hashes, for {@link verifyAuditLog}.
 *
 * @example
 * ```ts
 * import { composeKms, type KeyManagementService } from 'edge-kms'
 * import { KmsAuditTrail, lineSink } from 'edge-kms/observability'
 *
 * const audit = new KmsAuditTrail({ mode: 'closed', sink: lineSink((line) => console.log(line)) })
 * export const audited = (kms: KeyManagementService) => composeKms(kms, { preset: 'highSecurity', audit })
 * ```
 */
export class KmsAuditTrail {
  readonly mode: 'open' | 'closed'
  readonly #sink: AuditSink
  readonly #actor: () => string
  readonly #checkpoints: AuditCheckpoints | undefined
  readonly #every: number
  readonly #timeoutMs: number
  readonly #runtime: Runtime
  readonly #network: Network
  readonly #observer: Observer | undefined
  readonly #chain: AuditChain
  /** How many records the last checkpoint covers, and the one that is on its way. */
  #covered = 0
  #promised = 0

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: KmsAuditTrailOptions) {
    const { sink, mode, actor, checkpoints, timeoutMs = 1_000, ...rest } = options
    const { runtime = webRuntime, network = webNetwork, observer, ...others } = rest
    refuseOthers(others)
    if (mode !== 'closed' && (mode as string) !== 'open') throw wrongOption('mode')
    if (typeof (sink as Partial<AuditSink> | null)?.write !== 'function') throw wrongOption('sink')
    if (actor !== undefined && typeof actor !== 'function') throw wrongOption('actor')
    refuseWithout('runtime', runtime, ['now', 'randomFill'])
    refuseWithout('network', network, ['after'])
    if (observer !== undefined) refuseWithout('observer', observer, ['observe'])
    this.mode = mode
    this.#sink = sink
    this.#actor = actor ?? ((): string => '')
    this.#checkpoints = checkpoints === undefined ? undefined : checkedCheckpoints(checkpoints)
    this.#every = within('checkpoints.every', checkpoints?.every ?? 100, 1_000_000)
    this.#timeoutMs = within('timeoutMs', timeoutMs, 60_000)
    this.#runtime = runtime
    this.#network = network
    this.#observer = observer
    this.#chain = new AuditChain(runtime, network)
  }

  /** The service, with a record of everything that it does. */
  around(kms: KeyManagementService): KeyManagementService {
    return new AuditKms(kms, this, this.#runtime)
  }

  /** Who asks now. What the application throws here is no name. */
  actor(): string {
    try {
      const name: unknown = this.#actor()
      return typeof name === 'string' ? name : ''
    } catch {
      return ''
    }
  }

  /**
   * Records what happened.
   *
   * @throws KmsError `ERR_STORE_UNAVAILABLE` if the trail is fail-closed and a record is not safe, or no
   * checkpoint was written for twice as many records as they are to be apart
   */
  async record(events: readonly KmsAuditEvent[], { defer }: KmsSignalOptions): Promise<void> {
    const own = events.map((event) => this.#chain.append(frozen(event)))
    const written = this.#write(own, events)
    // The caller may be gone by then; the record is still to be written.
    defer?.(written.catch(() => undefined))
    if (this.mode === 'open') written.catch(() => undefined)
    else await written
  }

  /**
   * Signs how far the chain is safe: at the end of a process, or on a schedule.
   *
   * @throws KmsError `ERR_STORE_UNAVAILABLE` if the checkpoint could not be written
   */
  async checkpoint(): Promise<AuditCheckpoint | undefined> {
    if (this.#checkpoints === undefined) return undefined
    const made = await this.#chain.checkpoint(this.#checkpoints.key)
    if (made === undefined) return undefined
    try {
      await this.#checkpoints.write(made)
    } catch (cause) {
      const message = 'the checkpoint of the audit log could not be written'
      throw new KmsError('ERR_STORE_UNAVAILABLE', { message, cause })
    }
    this.#covered = Math.max(this.#covered, made.size)
    this.#promised = Math.max(this.#promised, made.size)
    return made
  }

  async #write(own: readonly Pending[], events: readonly KmsAuditEvent[]): Promise<void> {
    const ended = new AbortController()
    const late = sleep(this.#network, this.#timeoutMs, ended.signal).then(() => {
      throw new KmsError('ERR_STORE_UNAVAILABLE', { message: 'the audit sink takes too long' })
    })
    late.catch(() => undefined)
    try {
      await Promise.race([this.#send(own, ended.signal), late]).catch((cause: unknown) => {
        this.#chain.trim()
        this.#lost(events)
        const message = 'the audit record could not be written'
        throw new KmsError('ERR_STORE_UNAVAILABLE', { message, cause })
      })
      await this.#cover(events, late)
    } finally {
      ended.abort()
    }
  }

  async #send(own: readonly Pending[], signal: AbortSignal): Promise<void> {
    const records = await this.#chain.records(own)
    if (records.length > 0) await this.#sink.write(records, { signal })
    this.#chain.written(records)
  }

  /**
   * A checkpoint where one is due. The records are safe: one that fails is no failure of theirs, and is
   * due again with the next. But a log of which more than twice as much as was said is not covered is not
   * what fail-closed promises.
   */
  async #cover(events: readonly KmsAuditEvent[], late: Promise<never>): Promise<void> {
    const { safeSize } = this.#chain
    if (this.#checkpoints === undefined || safeSize - this.#promised < this.#every) return
    this.#promised = safeSize
    try {
      await Promise.race([this.checkpoint(), late])
    } catch (error) {
      this.#promised = this.#covered
      for (const { provider, operation } of events.slice(0, 1))
        notify(this.#observer, { type: 'checkpoint-loss', provider, operation })
      if (this.mode === 'closed' && safeSize - this.#covered >= 2 * this.#every) throw error
    }
  }

  #lost(events: readonly KmsAuditEvent[]): void {
    for (const { provider, operation } of events)
      notify(this.#observer, { type: 'audit-loss', provider, operation })
  }
}

function checkedCheckpoints(checkpoints: AuditCheckpoints): AuditCheckpoints {
  if (Object(checkpoints) !== checkpoints) throw wrongOption('checkpoints')
  const { key, write, every: _every, ...others } = checkpoints
  refuseOthers(others)
  if (!isCheckpointKey(key, 'sign')) throw wrongOption('checkpoints.key')
  if (typeof write !== 'function') throw wrongOption('checkpoints.write')
  return checkpoints
}

/** A port without one of its methods would fail at the first record, not here. */
function refuseWithout(name: string, port: unknown, methods: readonly string[]): void {
  const held = Object(port) as Readonly<Record<string, unknown>>
  if (methods.some((method) => typeof held[method] !== 'function')) throw wrongOption(name)
}

function within(name: string, value: number, max: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= max) return value
  throw wrongOption(name)
}
