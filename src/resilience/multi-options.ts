import { integer, refuseOthers, share, wrongOption } from '../checks/index.ts'
import { KmsError } from '../errors.ts'
import { type KeyManagementService } from '../kms/index.ts'
import type { RepairLog } from '../ports/index.ts'
import { type DecoratorPorts, type Ports, portsOf } from './service.ts'

/** Options of {@link MultiKms}. */
export interface MultiKmsOptions extends DecoratorPorts {
  /** Tried to unwrap. */
  readonly read: readonly KeyManagementService[]
  /** These wrap; the first that can makes the DEK. By default those of `read` that may encrypt. */
  readonly write?: readonly KeyManagementService[] | undefined
  /** How many wraps a data key needs to leave: `all` by default. */
  readonly writePolicy?: WritePolicy | undefined
  /** Where wraps that are missing are noted. A quorum that is not all needs it. */
  readonly repairs?: RepairLog | undefined
  /**
   * `configured`, the default: in the order of `read`. `fastest`: by what was measured here, those
   * that failed in the last 5 s last. Never by the order of a message.
   */
  readonly order?: 'configured' | 'fastest' | undefined
  /** Asks the next KEK before the first has answered. Off by default. */
  readonly hedge?: HedgeConfig | undefined
}

/** `all`, or at least so many. */
export type WritePolicy =
  | 'all'
  | {
      /** At least 1. The KEKs that are missing must be out of order, not forbidden or gone. */
      readonly quorum: number
      /** How long the others are waited for once the quorum is there, in milliseconds: 500 by default, up to 60,000. */
      readonly graceMs?: number
    }

/** When a second KEK is asked for the same DEK. */
export interface HedgeConfig {
  /** After so long without an answer, in milliseconds: 1 to 60,000. */
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

/** @throws KmsError `ERR_KMS_CONFIG` */
export function multiSettings(options: MultiKmsOptions): MultiSettings {
  const {
    read,
    write,
    writePolicy = 'all',
    repairs,
    order = 'configured',
    hedge,
    runtime,
    network,
    observer,
    ...others
  } = options
  refuseOthers(others)
  const reads = listOf('read', read)
  const writes = listOf('write', write ?? reads.filter(canWrite))
  if (reads.length + writes.length === 0) throw config('no KMS is given')
  if (reads.some((kms) => kms.capabilities.usage === 'encrypt'))
    throw config('a KMS to read from is configured to encrypt only')
  if (!writes.every(canWrite)) throw config('a KMS to write to is configured to decrypt only')
  // Every message would be refused: a header has one wrap of each KEK (W3.11).
  const keks = writes.flatMap(keksOf)
  if (new Set(keks).size < keks.length) throw config('two KMSs to write to have the same KEK')
  if (order !== 'configured' && (order as string) !== 'fastest') throw wrongOption('order')
  const { quorum, graceMs } = policyOf(writePolicy, writes.length)
  if (quorum < writes.length && typeof repairs?.note !== 'function')
    throw config('a quorum needs repairs: wraps that are missing must be noted')
  return {
    read: reads,
    write: writes,
    quorum,
    graceMs,
    repairs,
    fastest: order === 'fastest',
    hedge: hedge && hedgeOf(hedge),
    ports: portsOf({ runtime, network, observer }),
  }
}

function policyOf(policy: WritePolicy, writers: number): { quorum: number; graceMs: number } {
  if (policy === 'all') return { quorum: writers, graceMs: 0 }
  const { quorum, graceMs = 500, ...others } = Object(policy) as Exclude<WritePolicy, 'all'>
  refuseOthers(others)
  return {
    quorum: integer('writePolicy.quorum', quorum, 1, Math.max(1, writers)),
    graceMs: integer('writePolicy.graceMs', graceMs, 0, 60_000),
  }
}

function hedgeOf({ afterMs, budget = 0.1, ...others }: HedgeConfig): Required<HedgeConfig> {
  refuseOthers(others)
  return {
    afterMs: integer('hedge.afterMs', afterMs, 1, 60_000),
    budget: share('hedge.budget', budget),
  }
}

function listOf(name: string, list: readonly KeyManagementService[]): KeyManagementService[] {
  const isService = (kms: Partial<KeyManagementService> | null): boolean =>
    typeof kms?.unwrapDataKey === 'function'
  if (Array.isArray(list) && list.every(isService))
    return [...(list as readonly KeyManagementService[])]
  throw config(`${name} must be a list of KMSs`)
}

function canWrite(kms: KeyManagementService): boolean {
  return kms.capabilities.usage !== 'decrypt'
}

function keksOf({ providerName, capabilities }: KeyManagementService): readonly string[] {
  return capabilities.keks?.map((kek) => `${providerName} ${kek}`) ?? []
}

function config(message: string): KmsError {
  return new KmsError('ERR_KMS_CONFIG', { message, provider: 'multi' })
}
