import { configError } from '../../checks/index.ts'
import { CurrentKeks } from '../current-keks.ts'
import { KeyRotationManager } from '../key-rotation-manager.ts'
import type { JobRotationResult } from '../result.ts'
import { StateFile } from '../state-file.ts'
import type { KeyRotationManagerOptions, ManagerSettings } from '../manager-options.ts'
import type { Lease } from './lease.ts'
import { recordOf, type ScheduleRecord, textOf } from './policy.ts'

/**
 * The result of a run of a schedule.
 *
 * - `busy`: another process holds the lease. Nothing was done.
 * - `idle`: nothing is due.
 * - `finished`: everything is under the current versions.
 * - `continues`: the time of the run is over; the next run continues.
 * - `stopped`: too many values fail; `onFailure` was called. Inspect them, then call `resume` of the manager.
 * - `paused`: somebody paused the job.
 */
export type ScheduledRun =
  | { readonly status: 'busy' | 'idle' }
  | { readonly status: 'continues'; readonly rotated: boolean }
  | {
      readonly status: 'finished' | 'stopped' | 'paused'
      readonly rotated: boolean
      readonly result: JobRotationResult
    }

/** Ports of one run. */
export interface RunParts {
  readonly options: KeyRotationManagerOptions
  readonly settings: ManagerSettings
  readonly lease: Lease
  readonly maxAgeMs: number
  /** When the run leaves the rest to the next. */
  readonly untilMs: number
  readonly signal: AbortSignal
}

/** Makes a new version if the current one is too old, and rewraps what is not under the current one. */
export async function runOnce(parts: RunParts): Promise<ScheduledRun> {
  const { options, settings, lease, maxAgeMs, signal } = parts
  const { step, job, states } = settings
  const keks = new CurrentKeks(step.kms, step)
  if (keks.byContext)
    throw configError('a schedule needs one KEK for all, and the KMS picks it by the context')
  const manager = new KeyRotationManager(options)
  const file = new StateFile(states, step)
  const name = `schedule-${job}`
  const nowMs = step.runtime.now()
  let held = await file.read<ScheduleRecord>(name, signal)
  let record = recordOf(held.value, await keks.of(undefined, signal), nowMs)
  const isDue = nowMs - record.sinceMs >= maxAgeMs
  if (isDue) {
    await lease.demand(signal)
    const made = await manager.rotateMasterKey({ signal })
    // AWS keeps the name of a key: its age counts from here all the same.
    record = { ...recordOf(undefined, made, nowMs), ...(record.done && { done: record.done }) }
  }
  held = await file.write(name, held, record, signal) // also an old one: stores forget what nobody touches
  const isOpen = ['running', 'paused', 'stopped'].includes(
    (await manager.status({ signal }))?.phase ?? '',
  )
  if (record.done === record.keks && !isOpen) return { status: 'idle' }
  const result = await runUntil(manager, parts)
  if (result === undefined) return { status: 'continues', rotated: isDue }
  const { phase } = result
  if (phase === 'finished')
    await file.write(name, held, { ...record, done: textOf(result.newVersion) }, signal)
  return { status: phase === 'running' ? 'paused' : phase, rotated: isDue, result }
}

/** Returns the result of the job, or `undefined` if the time is over first. */
async function runUntil(
  manager: KeyRotationManager,
  { settings: { step }, untilMs, signal }: RunParts,
): Promise<JobRotationResult | undefined> {
  const run = manager.run({ signal })
  for (;;) {
    const next = await run.next()
    if (next.done === true) return next.value
    if (step.runtime.now() + next.value.waitMs < untilMs) continue
    const isRunning = next.value.phase === 'running'
    if (!isRunning) continue
    await run.return(undefined as never)
    return undefined
  }
}
