import { encodeBase64Url } from '../bytes/index.ts'
import { integer, plainOptions, refuseOthers, wrongOption } from '../checks/index.ts'
import { signCheckpoint } from '../ciphers/index.ts'
import { KmsError } from '../errors.ts'
import type { Network, Runtime } from '../ports/index.ts'
import { withTimeout } from '../runtime/index.ts'
import { isCheckpointKey } from './audit-keys.ts'
import { type AuditCheckpoint, type AuditRecord, checkpointBytes } from './audit-record.ts'

/** Signed statements of how many records there are. Without them, a log whose end was cut off still verifies. */
export interface AuditCheckpoints {
  /** A private key for ECDSA over P-256. */
  readonly key: CryptoKey
  /** Stores a checkpoint. Use a place that an attacker who can change the log cannot change. */
  readonly write: (checkpoint: AuditCheckpoint) => Promise<void>
  /**
   * Most records between two checkpoints, 1 to 1,000,000; 100 by default. The first checkpoint is due with the first
   * record.
   */
  readonly every?: number | undefined
  /**
   * Time after a checkpoint, in milliseconds, from which the next record makes another one due; 5,000 by default, 1
   * to 86,400,000.
   */
  readonly everyMs?: number | undefined
}

/** Parts that checkpoints use. */
export interface CheckpointPorts {
  readonly runtime: Runtime
  readonly network: Pick<Network, 'after'>
  readonly timeoutMs: number
}

/** Decides when a checkpoint is due, signs it and has it written. */
export class Checkpointer {
  readonly #key: CryptoKey
  readonly #store: (checkpoint: AuditCheckpoint) => Promise<void>
  readonly #every: number
  readonly #everyMs: number
  readonly #ports: CheckpointPorts
  /** How many records the last one covers, and when it was written. */
  #covered = 0
  #coveredAtMs = 0
  #failingSinceMs: number | undefined

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: AuditCheckpoints, ports: CheckpointPorts) {
    if (Object(options) !== options) throw wrongOption('chain.checkpoints', 'an object', options)
    const { key, write, every = 100, everyMs = 5_000, ...others } = plainOptions(options)
    refuseOthers(others)
    if (!isCheckpointKey(key, 'sign'))
      throw wrongOption('chain.checkpoints.key', 'a private ECDSA P-256 key with usage "sign"')
    if (typeof write !== 'function')
      throw wrongOption('chain.checkpoints.write', 'a function', write)
    this.#key = key
    this.#store = write
    this.#every = integer('chain.checkpoints.every', every, 1, 1_000_000)
    this.#everyMs = integer('chain.checkpoints.everyMs', everyMs, 1, 86_400_000)
    this.#ports = ports
  }

  /** Whether a log that ends with this record needs one: at birth, by count, and by time. */
  isDue({ seq }: AuditRecord): boolean {
    const uncovered = seq + 1 - this.#covered
    if (uncovered <= 0) return false
    const sinceMs = this.#ports.runtime.now() - this.#coveredAtMs
    return this.#covered === 0 || uncovered >= this.#every || sinceMs >= this.#everyMs
  }

  /**
   * Whether a log that ends with this record is covered too little to go on: not at all, not for twice
   * `every` records, or because writing one has failed for `everyMs`.
   */
  isOverdue({ seq }: AuditRecord): boolean {
    const failingMs = this.#ports.runtime.now() - (this.#failingSinceMs ?? Infinity)
    const uncovered = seq + 1 - this.#covered
    return this.#covered === 0 || uncovered >= 2 * this.#every || failingMs >= this.#everyMs
  }

  /**
   * Signs that the log had all records up to this one, and has it written within `timeoutMs`.
   *
   * @throws KmsError `ERR_STORE_UNAVAILABLE`
   */
  async cover({ writer, seq, link }: AuditRecord): Promise<AuditCheckpoint> {
    const { runtime, network, timeoutMs } = this.#ports
    const message = 'the checkpoint of the audit log could not be written'
    const late = (): KmsError =>
      new KmsError('ERR_STORE_UNAVAILABLE', { message: `${message} within ${timeoutMs} ms` })
    try {
      const unsigned = {
        v: 1 as const,
        writer,
        size: seq + 1,
        hash: link?.hash ?? '',
        atMs: runtime.now(),
      }
      const signature = encodeBase64Url(await signCheckpoint(this.#key, checkpointBytes(unsigned)))
      const made = Object.freeze({ ...unsigned, signature })
      await withTimeout(() => this.#store(made), { timeoutMs, network, error: late })
      this.#covered = Math.max(this.#covered, made.size)
      this.#coveredAtMs = runtime.now()
      this.#failingSinceMs = undefined
      return made
    } catch (cause) {
      this.#failingSinceMs ??= runtime.now()
      throw new KmsError('ERR_STORE_UNAVAILABLE', { message, cause })
    }
  }
}
