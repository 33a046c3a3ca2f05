import { encodeBase64Url, encodeUtf8 } from '../bytes/index.ts'
import { configError } from '../checks/index.ts'
import { sha256 } from '../ciphers/index.ts'
import { checkAnswer, type KekVersion } from '../kms/index.ts'
import { type RotationCensus, takeCensus } from './census.ts'
import type { CurrentKeks } from './current-keks.ts'
import { DanglingReferences } from './dangling.ts'
import type { LifecycleLog } from './lifecycle-log.ts'
import type { Pacer } from './pacer.ts'
import { ProofOfOpening } from './proof.ts'
import type { RetirementResult, RetireSettings } from './retire-options.ts'
import { type RetirementRecord, retirementRecord } from './retirement-record.ts'
import { callOutside } from './source-calls.ts'
import { mayReferTo, versionName } from './staleness.ts'
import type { StateFile, StoredState } from './state-file.ts'
import type { StepSettings } from './step-options.ts'

/** What a retirement needs. */
export interface RetirementPorts {
  readonly settings: StepSettings
  readonly keks: CurrentKeks
  readonly pacer: Pacer
  readonly file: StateFile
  readonly log: LifecycleLog
  readonly job: string
}

/** What a census found that stands against a retirement. */
interface Objections {
  readonly references: number
  readonly unproven: number
  readonly corrupt: number
  readonly dangling: number
  readonly census: RotationCensus
}

/** Makes the next step of a retirement that is due, or says why none is. */
export async function retireVersion(
  ports: RetirementPorts,
  options: RetireSettings,
): Promise<RetirementResult> {
  const { settings, file } = ports
  const { version, lifecycle, signal } = options
  await refuseCurrent(ports, options)
  const kek = versionName(version)
  const name = `retire-${encodeBase64Url(await sha256(encodeUtf8(kek)))}`
  const found = await file.read<unknown>(name, signal)
  const record = retirementRecord(found.value, kek, settings.runtime.now())
  const objections = await takeObjections(ports, options)
  if (isReferenced(objections, options)) {
    await file.write(name, found, { version: 1, kek }, signal)
    return { status: 'referenced', ...objections }
  }
  const state = await ask(ports, options, 'stateOf', isState, (call) =>
    lifecycle.stateOf(version, call),
  )
  if (state === 'pending-destruction' || state === 'destroyed') return { status: 'retired' }
  const zeroSinceMs = record.zeroSinceMs ?? objections.census.atMs
  const known = { ...record, zeroSinceMs }
  // What a writer put behind the walk is seen only by a census that began after it.
  const sinceMs = objections.census.atMs
  if (state === 'enabled') {
    // Somebody may have enabled it again: then it was not disabled all the time.
    const { disabledAtMs: _disabledAtMs, ...kept } = known
    return disableWhenDue(ports, options, { name, found, sinceMs, record: kept })
  }
  const disabledAtMs = record.disabledAtMs ?? settings.runtime.now() // somebody else disabled it
  return destroyWhenDue(ports, options, {
    name,
    found,
    sinceMs,
    record: { ...known, disabledAtMs },
  })
}

/** A record with its place in the state store. */
interface Held {
  readonly name: string
  readonly found: StoredState<unknown>
  /** When the census of this call began. */
  readonly sinceMs: number
  readonly record: RetirementRecord & { readonly zeroSinceMs: number }
}

/**
 * Returns the answer of the lifecycle: code of others, whose answer decides whether a key is destroyed.
 *
 * @throws KmsError `ERR_KMS_RESPONSE_INVALID`
 */
async function ask<T>(
  { settings }: RetirementPorts,
  { lifecycle, signal }: RetireSettings,
  name: 'stateOf' | 'lastUsedAtMs',
  isGood: (answer: unknown) => boolean,
  work: (call: { readonly signal: AbortSignal }) => T | Promise<T>,
): Promise<T> {
  const answer = await callOutside(settings, `lifecycle: ${name}`, signal, work)
  return checkAnswer(lifecycle.provider, answer, isGood)
}

const STATES: readonly unknown[] = ['enabled', 'disabled', 'pending-destruction', 'destroyed']
const isState = (state: unknown): boolean => STATES.includes(state)
const isTime = (ms: unknown): boolean => ms === undefined || Number.isFinite(ms)

async function disableWhenDue(
  ports: RetirementPorts,
  options: RetireSettings,
  { name, found, sinceMs, record }: Held,
): Promise<RetirementResult> {
  const { settings, file, log, job } = ports
  const { version, lifecycle, writersMs, signal } = options
  const saved = await file.write(name, found, record, signal)
  const untilMs = record.zeroSinceMs + writersMs
  if (sinceMs < untilMs) return { status: 'waiting', step: 'disable', untilMs }
  const lastUsedAtMs = await ask(ports, options, 'lastUsedAtMs', isTime, (call) =>
    lifecycle.lastUsedAtMs?.(version, call),
  )
  if (lastUsedAtMs !== undefined && lastUsedAtMs > record.zeroSinceMs)
    return { status: 'in-use', lastUsedAtMs }
  const step = { operation: 'disableKeyVersion', job, keys: [version] } as const
  await log.around(step, signal, () =>
    callOutside(settings, 'lifecycle: disable', signal, (call) => lifecycle.disable(version, call)),
  )
  const disabledAtMs = settings.runtime.now()
  await file.write(name, saved, { ...record, disabledAtMs }, signal)
  return { status: 'disabled' }
}

async function destroyWhenDue(
  { settings, file, log, job }: RetirementPorts,
  { version, lifecycle, destroy, destroyAfterMs, signal }: RetireSettings,
  { name, found, sinceMs, record }: Held,
): Promise<RetirementResult> {
  await file.write(name, found, record, signal)
  if (!destroy) return { status: 'disabled' }
  const untilMs = (record.disabledAtMs ?? sinceMs) + destroyAfterMs
  if (sinceMs < untilMs) return { status: 'waiting', step: 'destroy', untilMs }
  const step = { operation: 'scheduleKeyDestruction', job, keys: [version] } as const
  const answer = await log.around(step, signal, () =>
    callOutside(settings, 'lifecycle: scheduleDestruction', signal, (call) =>
      lifecycle.scheduleDestruction(version, call),
    ),
  )
  const { destroyAtMs } = Object(answer) as { readonly destroyAtMs?: number }
  return { status: 'scheduled', ...(destroyAtMs !== undefined && { destroyAtMs }) }
}

/** Counts what refers to a version, or may. */
async function takeObjections(
  { settings, keks, pacer }: RetirementPorts,
  { version, proof, signal }: RetireSettings,
): Promise<Objections> {
  const proofs = new ProofOfOpening(settings, pacer, version)
  const dangling = new DanglingReferences()
  let references = 0
  let unproven = 0
  const census = await takeCensus(settings, keks, signal, async ({ message, task, context }) => {
    if (message !== undefined) dangling.see(message.head)
    const header = message?.head.header
    if (header === undefined) return
    if (header.wraps.some((wrap) => mayReferTo(wrap, version))) references += 1
    else if (proof === 'open') {
      const opened = task ?? (context && { header, context })
      if (opened === undefined || !(await proofs.holds(opened, signal))) unproven += 1
    }
  })
  const { corrupt } = census.counts
  return { references, unproven, corrupt, dangling: dangling.count(), census }
}

function isReferenced(
  { references, unproven, corrupt, dangling, census }: Objections,
  { acceptCorrupt }: RetireSettings,
): boolean {
  // Without one record the store is no source at all, which is a mistake and no loss that somebody accepts.
  const isAccepted = acceptCorrupt && (dangling === 0 || census.counts.dataKeyRecords > 0)
  return references + unproven + (isAccepted ? 0 : corrupt + dangling) > 0
}

/** @throws KmsError `ERR_KMS_CONFIG` if the KMS still wraps under the version */
async function refuseCurrent(
  { keks }: RetirementPorts,
  { version, context, signal }: RetireSettings,
): Promise<void> {
  keks.forget() // it may have become current a moment ago
  const current: readonly KekVersion[] = await keks.of(context, signal)
  if (current.some((kek) => mayReferTo(kek, version)))
    throw configError(`${versionName(version)} is current: make another version current first`)
}
