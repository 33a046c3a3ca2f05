import {
  checkNumbers,
  configError,
  oneOf,
  plainOptions,
  refuseOthers,
  wrongOption,
} from '../checks/index.ts'
import { type KeyManagementService, serviceOf } from '../kms/index.ts'
import type { RepairLog } from '../ports/index.ts'
import { HEDGE, QUORUM } from './defaults.ts'
import { canRead, canWrite } from './members.ts'
import { type DecoratorPorts, demandMethod, partsOf, type Ports } from './service.ts'

/** Options of {@link MultiKms}. */
export interface MultiKmsOptions extends DecoratorPorts {
  /** The KMSs to read from. */
  readonly read: readonly KeyManagementService[]
  /** The KMSs to write to, at most 16; the first that can makes the DEK. By default those of `read` that may encrypt. */
  readonly write?: readonly KeyManagementService[] | undefined
  /** How many wraps a new data key must have: `all` by default. */
  readonly writePolicy?: WritePolicy | undefined
  /** Notes missing wraps. Required for a quorum that is less than all. */
  readonly repairs?: RepairLog | undefined
  /**
   * `configured`, the default: in the order of `read`. `fastest`: by the times measured in this process; a KMS that
   * failed in the last 5 s comes last. The order in a message never matters.
   */
  readonly order?: 'configured' | 'fastest' | undefined
  /** Asks the next KEK before the first has answered. Off by default. */
  readonly hedge?: HedgeConfig | undefined
}

/** `all`, or at least a number of wraps. */
export type WritePolicy =
  | 'all'
  | {
      /**
       * Fewest wraps, 1 to the number of KMSs. A KEK may be missing only because of an outage, not because it is
       * denied or deleted.
       */
      readonly quorum: number
      /**
       * How long to wait for the other KEKs once the quorum is reached, in milliseconds: 500 by default, 0 to 60,000.
       */
      readonly graceMs?: number
    }

/** When a second KEK is asked for the same DEK. */
export interface HedgeConfig {
  /** Time without an answer after which the second KEK is asked, in milliseconds: 1 to 60,000. */
  readonly afterMs: number
  /** Share of the unwraps that may be hedged, in the long run: 0.1 by default, above 0, at most 1. */
  readonly budget?: number
}

/** Options, checked and complete. */
export interface MultiSettings {
  readonly read: readonly KeyManagementService[]
  readonly write: readonly KeyManagementService[]
  /** How many wraps must be there, and how long to wait for the others. */
  readonly quorum: number
  readonly graceMs: number
  readonly repairs: RepairLog | undefined
  readonly fastest: boolean
  readonly hedge: Required<HedgeConfig> | undefined
  readonly ports: Ports
}

/**
 * Returns the options of {@link MultiKms}, checked and complete.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function multiSettings(options: MultiKmsOptions): MultiSettings {
  const { ports, rest } = partsOf(options)
  const { read, write, writePolicy = 'all', repairs, order = 'configured', hedge, ...others } = rest
  refuseOthers(others)
  const reads = listOf('read', read)
  const writes = listOf('write', write ?? reads.filter(canWrite))
  checkMembers(reads, writes)
  if (repairs !== undefined) demandMethod('repairs', repairs, 'note')
  const { quorum, graceMs } = policyOf(writePolicy, writes.length)
  if (quorum < writes.length && repairs === undefined)
    throw configError('a quorum requires repairs, which notes missing wraps: give a RepairLog')
  return {
    read: reads,
    write: writes,
    quorum,
    graceMs,
    repairs,
    fastest: oneOf('order', order, ['configured', 'fastest']) === 'fastest',
    hedge: hedge && hedgeOf(hedge),
    ports,
  }
}

/** Returns the options of a hedge, complete. The time has no default: it is what asks for a hedge. */
function hedgeOf(hedge: HedgeConfig): Required<HedgeConfig> {
  const { afterMs } = plainOptions(hedge, 'hedge') as Partial<HedgeConfig>
  return checkNumbers(HEDGE, { ...hedge, afterMs: afterMs ?? NaN }, 'hedge.')
}

function policyOf(
  policy: WritePolicy,
  writers: number,
): { readonly quorum: number; readonly graceMs: number } {
  if (policy === 'all') return { quorum: writers, graceMs: 0 }
  if (Object(policy) !== policy)
    throw wrongOption('writePolicy', 'all or an object with a quorum', policy)
  if (writers === 1)
    throw configError('writePolicy requires several KMSs to write to, got one: leave it out')
  const { quorum = NaN } = plainOptions(policy, 'writePolicy') as Partial<typeof policy>
  const bounds = { ...QUORUM, quorum: { ...QUORUM.quorum, most: Math.max(1, writers) } }
  return checkNumbers(bounds, { ...policy, quorum }, 'writePolicy.')
}

function checkMembers(
  reads: readonly KeyManagementService[],
  writes: readonly KeyManagementService[],
): void {
  if (reads.length + writes.length === 0)
    throw configError('read and write must have at least one KMS, got 0')
  if (!reads.every(canRead))
    throw configError('read must not have a KMS whose usage is encrypt: give it in write only')
  if (!writes.every(canWrite))
    throw configError('write must not have a KMS whose usage is decrypt: give it in read only')
  // Every message would be refused: a header has at most 16 wraps, one of each KEK (W3.8, W3.11).
  const { most } = QUORUM.quorum
  if (writes.length > most)
    throw configError(
      `at most ${String(most)} KMSs can write, got ${String(writes.length)}: a header holds no more wraps`,
    )
  const keks = writes.flatMap(keksOf)
  if (new Set(keks).size < keks.length)
    throw configError(
      'each KMS to write to must have its own KEK, got one KEK twice: remove one KMS',
    )
}

function listOf(name: string, list: readonly KeyManagementService[]): KeyManagementService[] {
  if (!Array.isArray(list)) throw wrongOption(name, 'a list of KeyManagementServices', list)
  return list.map((kms: unknown, i) => serviceOf(`${name}[${String(i)}]`, kms))
}

function keksOf({ providerName, capabilities }: KeyManagementService): readonly string[] {
  return capabilities.keks?.map((kek) => `${providerName} ${kek}`) ?? []
}
