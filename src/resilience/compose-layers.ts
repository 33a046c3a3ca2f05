import { configError } from '../checks/index.ts'
import { type KeyManagementService, serviceOf } from '../kms/index.ts'
import type { KeyValueStore, RepairLog } from '../ports/index.ts'
import { BulkheadKms } from './bulkhead-kms.ts'
import { CircuitBreakerKms } from './circuit-breaker-kms.ts'
import { HOLD } from './defaults.ts'
import { canRead, canWrite } from './members.ts'
import type { MultiKmsOptions } from './multi-options.ts'
import {
  type ResilienceConfig,
  resilienceValues,
  type ResilienceValues,
} from './resilience-config.ts'
import { RetryKms } from './retry-kms.ts'
import { type DecoratorPorts, demandMethod, partsOf } from './service.ts'
import { TimeoutKms } from './timeout-kms.ts'

/** A layer that records every call, such as `KmsAuditTrail`. */
export interface AuditLayer {
  /** `closed`: a call fails if its record cannot be written. */
  readonly mode: 'open' | 'closed'
  /** Returns the service, with every call recorded. */
  around(kms: KeyManagementService): KeyManagementService
}

/** Options of {@link composeKms}. */
export interface ComposeKmsOptions extends ResilienceConfig, DecoratorPorts {
  /** The store in which isolates share their circuits. */
  readonly circuitStore?: KeyValueStore | undefined
  /** Notes missing wraps; required for a quorum. */
  readonly repairs?: RepairLog | undefined
  readonly audit?: AuditLayer | undefined
}

/** Joins several KMSs into one: {@link joinKms}. A bundle that composes only one KMS does not contain it. */
export type JoinKms = (options: MultiKmsOptions) => KeyManagementService

/**
 * Returns what {@link composeKms} describes.
 *
 * @param join - of several KMSs
 * @throws KmsError `ERR_KMS_CONFIG`, also for several KMSs without `join`
 */
export function composeLayers(
  kms: KeyManagementService | readonly KeyManagementService[],
  options: ComposeKmsOptions,
  join: JoinKms | undefined,
): KeyManagementService {
  const { ports, rest } = partsOf(options)
  const { circuitStore, repairs, audit, ...config } = rest
  const values = resilienceValues(config)
  const { deadlineMs, writePolicy, order, hedge, requireAudit } = values
  const members = membersOf(kms)
  const scopes = values.scopes ?? members.map(({ providerName }) => providerName)
  if (scopes.length !== members.length)
    throw configError(
      `scopes must have a name for each of ${String(members.length)} KMSs, got ${String(scopes.length)}`,
    )
  if (repairs !== undefined) demandMethod('repairs', repairs, 'note')
  if (audit !== undefined) demandMethod('audit', audit, 'around')
  if (requireAudit && audit?.mode !== 'closed')
    throw configError(
      `this preset requires an audit trail whose mode is closed, got ${audit?.mode ?? 'none'}: give one as audit`,
    )
  if (circuitStore !== undefined) checkShared(circuitStore, scopes, values)

  refuseForCustomers(members, { ...config, circuitStore })
  const guarded = members.map((member, i) => {
    if (member.capabilities.keksByContext) return member
    const breaker = { scope: scopes[i], store: circuitStore }
    return guard(member, values, breaker, ports)
  })
  const several = { read: guarded.filter(canRead), write: guarded.filter(canWrite) }
  const [only] = guarded
  if (guarded.length === 1) refuseForOne(config)
  const whole =
    guarded.length === 1 && only !== undefined
      ? only
      : joinOf(join)({
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

function joinOf(join: JoinKms | undefined): JoinKms {
  if (join !== undefined) return join
  throw configError('several KMSs need `join` beside them in the plan: give joinKms of edge-kms')
}

function membersOf(kms: unknown): readonly KeyManagementService[] {
  const members = Array.isArray(kms)
    ? kms.map((one: unknown, i) => serviceOf(`kms[${String(i)}]`, one))
    : [serviceOf('kms', kms)]
  if (members.length === 0) throw configError('kms must have at least one KMS, got 0')
  if (new Set(members).size < members.length)
    throw configError('kms must not list one KMS twice: remove one')
  return members
}

/** Circuits are shared by name: two of one name would open each other. */
function checkShared(
  store: KeyValueStore,
  scopes: readonly string[],
  { circuitBreaker }: ResilienceValues,
): void {
  demandMethod('circuitStore', store, 'compareAndSwap')
  if (circuitBreaker === false)
    throw configError(
      'circuitStore requires circuitBreaker, got false: set it, or leave circuitStore out',
    )
  if (new Set(scopes).size < scopes.length)
    throw configError('scopes must differ, as circuitStore shares circuits by name: rename one')
}

/** Refuses what was asked of several KMSs and one cannot give. Presets may ask for it all the same. */
function refuseForOne({
  writePolicy = 'all',
  order = 'configured',
  hedge = false,
}: ResilienceConfig): void {
  const needless = {
    writePolicy: writePolicy !== 'all',
    order: order !== 'configured',
    hedge: hedge !== false,
  }
  for (const [name, isNeedless] of Object.entries(needless))
    if (isNeedless) throw configError(`${name} requires several KMSs, got one: leave it out`)
}

/** Refuses what only the stack of each customer can do. Presets may ask for it all the same. */
function refuseForCustomers(
  members: readonly KeyManagementService[],
  { retry, circuitBreaker, bulkhead, attemptTimeoutMs, circuitStore }: ComposeKmsOptions,
): void {
  if (!members.every(({ capabilities }) => capabilities.keksByContext)) return
  const layers = { retry, circuitBreaker, bulkhead, attemptTimeoutMs, circuitStore }
  for (const [name, value] of Object.entries(layers))
    if (value !== undefined && value !== false)
      throw configError(`${name} is for one KEK: give it to composeKms inside \`create\``)
}

/** Returns one KMS with its retries, circuit, bulkhead and attempt timeout. */
function guard(
  member: KeyManagementService,
  { attemptTimeoutMs, bulkhead, circuitBreaker, retry }: ResilienceValues,
  shared: { readonly scope: string | undefined; readonly store: KeyValueStore | undefined },
  ports: DecoratorPorts,
): KeyManagementService {
  const timeout = { timeoutMs: attemptTimeoutMs, layer: 'attempt' } as const
  let kms: KeyManagementService = new TimeoutKms({ kms: member, ...timeout, ...ports })
  // A call that holds its place for longer than an attempt may take is dead.
  kms = new BulkheadKms({
    kms,
    ...bulkhead,
    maxHoldMs: Math.min(2 * attemptTimeoutMs, HOLD.maxHoldMs.most),
    ...ports,
  })
  if (circuitBreaker !== false)
    kms = new CircuitBreakerKms({ kms, ...circuitBreaker, ...shared, ...ports })
  return retry === false ? kms : new RetryKms({ kms, ...retry, ...ports })
}
