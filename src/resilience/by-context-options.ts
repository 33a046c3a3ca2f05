import {
  flag,
  integer,
  oneOf,
  optionError,
  plainOptions,
  refuseOthers,
  wrongOption,
} from '../checks/index.ts'
import type {
  EncryptionContext,
  KeyManagementService,
  KmsCapabilities,
  KmsLimits,
} from '../kms/index.ts'
import type { CheckKms, CreateKms } from './kms-pool.ts'
import { type DecoratorPorts, partsOf, type Ports } from './service.ts'

/** Options of {@link kmsByContext}. */
export interface KmsByContextOptions extends DecoratorPorts {
  /**
   * Returns the name of the KEK that a context belongs to, or `undefined` to refuse the context. It receives the
   * caller's context without the entries of the format, as a frozen object without a prototype. It must be fast and
   * always return the same name for the same context, because a data key is written and read under that KEK.
   */
  readonly keyFor: (context: EncryptionContext) => string | undefined
  /**
   * Returns the KMS of a key name within 10 seconds. Use `composeKms` over a provider, so that each KEK has its own
   * circuit and bulkhead.
   */
  readonly create: CreateKms
  /** Most KMSs in memory: 1,000 by default, 1 to 100,000. The least recently used one is evicted first. */
  readonly maxEntries?: number | undefined
  /**
   * Capabilities of the KMS of every KEK. By default the least that is safe to assume. A KMS of `create` that
   * can do less is refused.
   */
  readonly capabilities?: CustomerCapabilities | undefined
}

/** Capabilities that you may declare for every KMS that `create` returns. */
export type CustomerCapabilities = Partial<
  Pick<
    KmsCapabilities,
    'usage' | 'bindsContext' | 'rewrapsInside' | 'rotates' | 'revealsVersion' | 'limits' | 'wraps'
  >
>

/** Options, checked and complete. */
export interface ByContextSettings {
  readonly keyFor: (context: EncryptionContext) => unknown
  readonly create: CreateKms
  readonly check: CheckKms
  readonly maxEntries: number
  readonly capabilities: KmsCapabilities
  readonly ports: Ports
}

const ENTRIES = { standard: 1_000, least: 1, most: 100_000 }
/** All that the format can hold: the KMS of a KEK refuses what it cannot take. */
const LIMITS: KmsLimits = { maxWrappedBytes: 6_144, maxContextBytes: 4_224 }

/** Promises that hold for each KMS or for none. */
const FLAGS = ['bindsContext', 'rewrapsInside', 'rotates', 'revealsVersion'] as const

/**
 * Returns the options of {@link kmsByContext}, checked and complete.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function byContextSettings(options: KmsByContextOptions): ByContextSettings {
  const { ports, rest } = partsOf(options)
  const {
    keyFor,
    create,
    maxEntries = ENTRIES.standard,
    capabilities: given = {},
    ...others
  } = rest
  refuseOthers(others)
  if (typeof keyFor !== 'function') throw wrongOption('keyFor', 'a function', keyFor)
  if (typeof create !== 'function') throw wrongOption('create', 'a function', create)
  const capabilities = capabilitiesOf(given)
  return {
    keyFor,
    create,
    check: (kms) => {
      demandPromised(capabilities, kms)
    },
    maxEntries: integer('maxEntries', maxEntries, ENTRIES.least, ENTRIES.most),
    capabilities,
    ports,
  }
}

function capabilitiesOf(given: CustomerCapabilities): KmsCapabilities {
  const { usage = 'both', limits = LIMITS, wraps, ...flags } = plainOptions(given, 'capabilities')
  refuseOthers(flags, new Set(FLAGS))
  const can = (name: (typeof FLAGS)[number]): boolean =>
    flag(`capabilities.${name}`, flags[name] ?? false)
  return Object.freeze({
    usage: oneOf('capabilities.usage', usage, ['encrypt', 'decrypt', 'both']),
    bindsContext: can('bindsContext'),
    rewrapsInside: can('rewrapsInside'),
    rotates: can('rotates'),
    revealsVersion: can('revealsVersion'),
    batches: true, // each KEK gets its part of a batch as one
    limits: limitsOf(limits),
    ...(wraps !== undefined && { wraps: integer('capabilities.wraps', wraps, 1, 16) }),
    keksByContext: true,
  })
}

/** Longest wrap or context that any KMS could take: a bound against nonsense. */
const MAX_LIMIT = 2 ** 20

function limitsOf(given: KmsLimits): KmsLimits {
  const limits: KmsLimits = { ...LIMITS, ...plainOptions(given, 'capabilities.limits') }
  for (const [name, value] of Object.entries(limits))
    integer(`capabilities.limits.${name}`, value as number, 0, MAX_LIMIT)
  return limits
}

/** @throws KmsError `ERR_KMS_CONFIG` if a KMS cannot do what `capabilities` says of each */
function demandPromised(
  promised: KmsCapabilities,
  { capabilities: own }: KeyManagementService,
): void {
  const less = FLAGS.find((name) => promised[name] && !own[name])
  if (less !== undefined)
    throw optionError('create', `made a KMS without ${less}, which capabilities promises`)
  if (own.usage !== 'both' && own.usage !== promised.usage)
    throw optionError('create', `made a KMS for ${own.usage} only: set capabilities.usage`)
}
