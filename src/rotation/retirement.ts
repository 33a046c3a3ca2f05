import { configError } from '../checks/index.ts'
import { isKmsError } from '../errors.ts'
import { checkAnswer, type KekVersion, type KeyVersionState, recognizes } from '../kms/index.ts'
import type { LifecycleLog } from './lifecycle-log.ts'
import { isReferenced, type ObjectionPorts, takeObjections } from './objections.ts'
import type { RetireSettings } from './retire-options.ts'
import type { RetirementResult } from './retirement-result.ts'
import {
  type HeldRecord,
  readRecord,
  restarted,
  type RetirementRecord,
} from './retirement-record.ts'
import { callOutside } from './source-calls.ts'
import { mayReferTo, versionName } from './staleness.ts'
import type { StateFile } from './state-file.ts'

/** Ports of a retirement. */
export interface RetirementPorts extends ObjectionPorts {
  readonly file: StateFile
  readonly log: LifecycleLog
  readonly job: string
}

/** A retirement whose census found no reference. */
interface Clear extends HeldRecord {
  readonly record: RetirementRecord & { readonly zeroSinceMs: number; readonly usedAtMs: number }
  /** When the census of this call began. */
  readonly sinceMs: number
}

/** Makes the next step of a retirement that is due, or says why none is. */
export async function retireVersion(
  ports: RetirementPorts,
  options: RetireSettings,
): Promise<RetirementResult> {
  const { file, job, settings } = ports
  await refuseCurrent(ports, options)
  const held = await readRecord(file, job, settings, options)
  const state = await stateOf(ports, options, held.record)
  if (state === 'pending-destruction' || state === 'destroyed') return { status: 'retired' }
  const objections = await takeObjections(ports, options)
  if (isReferenced(objections, options)) {
    await file.write(held.name, held.found, restarted(held.record), options.signal)
    return { status: 'referenced', state, ...objections }
  }
  // A value that a writer put behind the walk is seen only by a census that began after it.
  const sinceMs = objections.census.atMs
  const usedAtMs = await lastUse(ports, options)
  const { zeroSinceMs = sinceMs, usedAtMs: knownMs = usedAtMs } = held.record
  const clear = { ...held, sinceMs, record: { ...held.record, zeroSinceMs, usedAtMs: knownMs } }
  if (usedAtMs > knownMs) return startAgain(ports, options, { ...clear, usedAtMs })
  if (state === 'enabled') return disableWhenDue(ports, options, clear)
  return destroyWhenDue(ports, options, clear)
}

/** The vendor saw a use after the last reference was gone, so somebody has a reference that nobody counted. */
async function startAgain(
  { file }: RetirementPorts,
  { signal }: RetireSettings,
  { name, found, record, sinceMs, usedAtMs }: Clear & { readonly usedAtMs: number },
): Promise<RetirementResult> {
  await file.write(name, found, { ...restarted(record), zeroSinceMs: sinceMs, usedAtMs }, signal)
  return { status: 'in-use', lastUsedAtMs: usedAtMs }
}

async function disableWhenDue(
  ports: RetirementPorts,
  options: RetireSettings,
  { name, found, record, sinceMs }: Clear,
): Promise<RetirementResult> {
  const { settings, file, log, job } = ports
  const { version, lifecycle, writersMs, signal } = options
  // Somebody may have enabled it again: then it was not disabled all the time.
  const { disabledAtMs: _disabledAtMs, isScheduled: _isScheduled, ...kept } = record
  const saved = await file.write(name, found, kept, signal)
  const untilMs = record.zeroSinceMs + writersMs
  if (sinceMs < untilMs) return { status: 'waiting', step: 'disable', untilMs }
  const step = { operation: 'disableKeyVersion', job, keys: [version] } as const
  await log.around(step, signal, () =>
    callOutside(settings, 'lifecycle: disable', signal, (call) => lifecycle.disable(version, call)),
  )
  // The time counts from when the vendor says so, which may be later than its answer.
  const isDisabled = (await stateOf(ports, options, kept)) === 'disabled'
  const disabledAtMs = settings.runtime.now()
  await file.write(name, saved, { ...kept, ...(isDisabled && { disabledAtMs }) }, signal)
  return { status: 'disabled' }
}

async function destroyWhenDue(
  { settings, file, log, job }: RetirementPorts,
  { version, lifecycle, destroy, destroyAfterMs, signal }: RetireSettings,
  { name, found, record, sinceMs }: Clear,
): Promise<RetirementResult> {
  const disabledAtMs = record.disabledAtMs ?? settings.runtime.now() // somebody else disabled it
  const known = { ...record, disabledAtMs }
  const saved = await file.write(name, found, known, signal)
  if (!destroy) return { status: 'disabled' }
  const untilMs = disabledAtMs + destroyAfterMs
  if (sinceMs < untilMs) return { status: 'waiting', step: 'destroy', untilMs }
  const step = { operation: 'scheduleKeyDestruction', job, keys: [version] } as const
  const answer = await log.around(step, signal, () =>
    callOutside(settings, 'lifecycle: scheduleDestruction', signal, (call) =>
      lifecycle.scheduleDestruction(version, call),
    ),
  )
  const { destroyAtMs } = Object(answer) as { readonly destroyAtMs?: number }
  await file.write(name, saved, { ...known, isScheduled: true }, signal)
  return { status: 'scheduled', ...(destroyAtMs !== undefined && { destroyAtMs }) }
}

const STATES: readonly unknown[] = ['enabled', 'disabled', 'pending-destruction', 'destroyed']
const isState = (state: unknown): boolean => STATES.includes(state)
const isTime = (ms: unknown): boolean => ms === undefined || Number.isFinite(ms)

/**
 * Returns the state of the version; one that was scheduled here and is not found any more is destroyed.
 *
 * @throws KmsError `ERR_KMS_RESPONSE_INVALID`: what the lifecycle answers decides whether a key is destroyed
 */
async function stateOf(
  { settings }: RetirementPorts,
  { version, lifecycle, signal }: RetireSettings,
  { isScheduled }: RetirementRecord,
): Promise<KeyVersionState> {
  try {
    const state = await callOutside(settings, 'lifecycle: stateOf', signal, (call) =>
      lifecycle.stateOf(version, call),
    )
    return checkAnswer(lifecycle.provider, state, isState)
  } catch (error) {
    if (isScheduled && isKmsError(error, 'ERR_KMS_KEY_NOT_FOUND')) return 'destroyed'
    throw error
  }
}

/** Returns the last use that the vendor has seen, by its own clock: ours may be another. 0: it has seen none. */
async function lastUse(
  { settings }: RetirementPorts,
  { version, lifecycle, signal }: RetireSettings,
): Promise<number> {
  const usedAtMs = await callOutside(settings, 'lifecycle: lastUsedAtMs', signal, (call) =>
    lifecycle.lastUsedAtMs?.(version, call),
  )
  return checkAnswer(lifecycle.provider, usedAtMs, isTime) ?? 0
}

/**
 * Refuses a version that the KMS still wraps under, and one of a KEK that it does not have: a name that is wrong has no
 * references either.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
async function refuseCurrent(
  { keks, settings: { kms } }: RetirementPorts,
  { version, context, signal }: RetireSettings,
): Promise<void> {
  const name = versionName(version)
  const wrap = { ...version, wrapped: new Uint8Array(1) }
  const isConfigured = kms.capabilities.keks?.includes(version.kekId) === true
  if (!isConfigured && !recognizes(kms, wrap, context))
    throw configError(
      `the KMS of this manager does not have ${name}: name it as a census does, and keep its KEK configured until it is retired`,
    )
  keks.forget() // it may have become current a moment ago
  const current: readonly KekVersion[] = await keks.of(context, signal)
  if (current.some((kek) => mayReferTo(kek, version)))
    throw configError(`${name} is current: make another version current first`)
}
