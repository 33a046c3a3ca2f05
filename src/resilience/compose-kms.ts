import { configError, wrongOption } from '../checks/index.ts'
import { type KeyManagementService } from '../kms/index.ts'
import type { KeyValueStore, RepairLog } from '../ports/index.ts'
import { BulkheadKms } from './bulkhead-kms.ts'
import { CircuitBreakerKms } from './circuit-breaker-kms.ts'
import { MultiKms } from './multi-kms.ts'
import {
  type ResilienceConfig,
  resilienceValues,
  type ResilienceValues,
} from './resilience-config.ts'
import { RetryKms } from './retry-kms.ts'
import type { DecoratorPorts } from './service.ts'
import { TimeoutKms } from './timeout-kms.ts'

/** The layer that records every call; `KmsAuditTrail` is one. */
export interface AuditLayer {
  /** `closed`: a call whose record cannot be written fails. */
  readonly mode: 'open' | 'closed'
  /** The service, recorded. */
  around(kms: KeyManagementService): KeyManagementService
}

/** Options of {@link composeKms}. */
export interface ComposeKmsOptions extends ResilienceConfig, DecoratorPorts {
  /** Where isolates share their circuits. */
  readonly circuitStore?: KeyValueStore | undefined
  /** Where missing wraps are noted; a quorum needs it. */
  readonly repairs?: RepairLog | undefined
  readonly audit?: AuditLayer | undefined
}

/**
 * One KMS, or several whose KEKs each wrap every data key, with everything that keeps an outage from
 * spreading. The order is fixed, outside in: deadline, audit, several KEKs, and for each of them
 * retry, circuit breaker, bulkhead, attempt timeout. The cache belongs outside: an open circuit must
 * not refuse a data key that is in memory. `EnvelopeCipher` has it there.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 * @example
 * ```ts
 * import { composeKms, EnvelopeCipher } from 'edge-kms'
 * import { createLocalKms } from 'edge-kms/local'
 *
 * const versions = [{ version: 1, key: crypto.getRandomValues(new Uint8Array(32)) }]
 * const kms = composeKms(createLocalKms({ versions }), { preset: 'production', deadlineMs: 3_000 })
 * export const cipher = new EnvelopeCipher({ kms })
 * ```
 */
export function composeKms(
  kms: KeyManagementService | readonly KeyManagementService[],
  options: ComposeKmsOptions = {},
): KeyManagementService {
  const { runtime, network, observer, circuitStore, repairs, audit, ...config } = options
  const ports = { runtime, network, observer }
  const values = resilienceValues(config)
  const { deadlineMs, writePolicy, order, hedge, requireAudit } = values
  const members = (Array.isArray as IsList)(kms) ? kms : [kms]
  const scopes = values.scopes ?? members.map(({ providerName }) => providerName)
  if (scopes.length !== members.length) throw wrongOption('scopes')
  if (new Set(members).size < members.length) throw configError('a KMS is there twice')
  if (audit !== undefined && typeof audit.around !== 'function') throw wrongOption('audit')
  if (circuitStore && values.circuitBreaker === false) throw wrongOption('circuitStore')
  if (circuitStore && new Set(scopes).size < scopes.length)
    throw configError('scopes must tell the KMSs apart where their circuits are shared')
  if (requireAudit && audit?.mode !== 'closed')
    throw configError('this preset needs an audit log that is fail-closed')

  const guarded = members.map((member, i) => {
    const breaker = { scope: scopes[i], store: circuitStore }
    return guard(member, values, breaker, ports)
  })
  const several = { read: guarded.filter(canRead), write: guarded.filter(canWrite) }
  const [only] = guarded
  // What was asked of several KMSs is refused by MultiKms where there is one that cannot give it.
  const asksForSeveral = config.writePolicy ?? config.order ?? (config.hedge || repairs)
  const whole =
    guarded.length === 1 && only !== undefined && asksForSeveral === undefined
      ? only
      : new MultiKms({
          ...several,
          writePolicy,
          repairs,
          order,
          hedge: hedge || undefined,
          ...ports,
        })
  const recorded = audit === undefined ? whole : audit.around(whole)
  return new TimeoutKms({ kms: recorded, timeoutMs: deadlineMs, layer: 'operation', ...ports })
}

/** What stands around each KMS. */
function guard(
  member: KeyManagementService,
  { attemptTimeoutMs, bulkhead, circuitBreaker, retry }: ResilienceValues,
  shared: { readonly scope: string | undefined; readonly store: KeyValueStore | undefined },
  ports: DecoratorPorts,
): KeyManagementService {
  const timeout = { timeoutMs: attemptTimeoutMs, layer: 'attempt' } as const
  let kms: KeyManagementService = new TimeoutKms({ kms: member, ...timeout, ...ports })
  // Whatever holds a place for longer than an attempt may take is dead.
  kms = new BulkheadKms({
    kms,
    ...bulkhead,
    maxHoldMs: Math.min(2 * attemptTimeoutMs, 900_000),
    ...ports,
  })
  if (circuitBreaker !== false)
    kms = new CircuitBreakerKms({ kms, ...circuitBreaker, ...shared, ...ports })
  return retry === false ? kms : new RetryKms({ kms, ...retry, ...ports })
}

type IsList = (value: unknown) => value is readonly KeyManagementService[]

function canRead(kms: KeyManagementService): boolean {
  return kms.capabilities.usage !== 'encrypt'
}

function canWrite(kms: KeyManagementService): boolean {
  return kms.capabilities.usage !== 'decrypt'
}
