import { wrongOption } from '../../checks/index.ts'
import { typedError } from '../../errors.ts'
import type { KeyValueStore } from '../../ports/index.ts'
import { webNetwork, withTimeout } from '../../runtime/index.ts'
import {
  type KeyRotationManagerOptions,
  type ManagerSettings,
  managerSettings,
} from '../manager-options.ts'
import { keyValueStateStore } from '../state-store.ts'
import { checkLeaseStore, Lease } from './lease.ts'
import {
  type ScheduledFailure,
  type ScheduledRotationOptions,
  scheduleSettings,
  type ScheduleSettings,
} from './options.ts'
import { runOnce, type ScheduledRun } from './scheduled-run.ts'

/** A Lambda function is stopped without a word: so much of its time is kept for the end of a run. */
const LAMBDA_MARGIN_MS = 20_000

/** Options of one run of a schedule. */
export interface ScheduledCallOptions {
  /** Ends the run; the next one goes on. */
  readonly signal?: AbortSignal | undefined
  /** How long this run works, in milliseconds; shorter than `runMs` of the schedule. */
  readonly runMs?: number
}

/** A rotation that a clock starts: what {@link scheduledRotation} returns. */
export interface ScheduledRotation<Env = unknown> {
  /** Makes one run, for your own scheduler. */
  run(env: Env, options?: ScheduledCallOptions): Promise<ScheduledRun>
  /** Handler of a Worker's cron trigger: put it into the Worker's default export. */
  scheduled(controller: unknown, env: Env, ctx: unknown): Promise<void>
  /** Handler of a Lambda function that an EventBridge schedule calls. It ends 20 s before the function must. */
  lambda(
    event: unknown,
    context: { readonly getRemainingTimeInMillis: () => number },
  ): Promise<ScheduledRun>
}

/**
 * Returns handlers that rotate on a schedule: a cron trigger of Workers, or an EventBridge schedule with Lambda. A
 * lease prevents two runs at once. The next run continues an unfinished one. A run that fails calls `onFailure`,
 * waits for it, and throws.
 *
 * Start it more often than the policy requires, e.g. each hour: a run with nothing to do makes one call to the KMS.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 *
 * @example
 * ```ts
 * import type { KeyManagementService } from 'edge-kms'
 * import { type RecordSource, scheduledRotation } from 'edge-kms/rotation'
 * import { type PostgresClient, PostgresKeyValueStore } from 'edge-kms/stores'
 *
 * export const handlersOf = (kms: KeyManagementService, users: RecordSource, client: PostgresClient) =>
 *   scheduledRotation({
 *     rotation: { kms, sources: [users] },
 *     policy: { maxAgeMs: 90 * 86_400_000 },
 *     lease: new PostgresKeyValueStore({ client }),
 *     onFailure: ({ job, error }) => console.error(`rotation ${job} failed`, error),
 *   })
 * ```
 */
export function scheduledRotation<Env = unknown>(
  options: ScheduledRotationOptions<Env>,
): ScheduledRotation<Env> {
  const settings = scheduleSettings(options)
  const run = (env: Env, call: ScheduledCallOptions = {}): Promise<ScheduledRun> =>
    runSchedule(settings, env, call)
  return {
    run,
    scheduled: async (_controller, env) => {
      await run(env)
    },
    lambda: (_event, context) => {
      const leftMs: unknown = (
        Object(context) as Partial<typeof context>
      ).getRemainingTimeInMillis?.()
      if (typeof leftMs !== 'number')
        throw wrongOption('context', 'the context of a Lambda function', context)
      return run(undefined as Env, { runMs: Math.max(0, leftMs - LAMBDA_MARGIN_MS) })
    },
  }
}

async function runSchedule<Env>(
  schedule: ScheduleSettings<Env>,
  env: Env,
  call: ScheduledCallOptions,
): Promise<ScheduledRun> {
  let settings: ManagerSettings | undefined
  try {
    const store = checkLeaseStore(await schedule.leaseOf(env))
    const given = await schedule.rotationOf(env)
    const options = { ...given, states: given.states ?? keyValueStateStore(store) }
    settings = managerSettings(options)
    const done = await runLeased(schedule, options, settings, store, call)
    if (done.status === 'stopped') await tellFailure(schedule, settings, { result: done.result })
    return done
  } catch (error) {
    const isAborted = call.signal?.aborted === true
    if (!isAborted) await tellFailure(schedule, settings, { error: asError(error) })
    throw error
  }
}

async function runLeased<Env>(
  { leaseMs, maxAgeMs, runMs: most }: ScheduleSettings<Env>,
  options: KeyRotationManagerOptions,
  settings: ManagerSettings,
  store: KeyValueStore,
  { signal, runMs = most }: ScheduledCallOptions,
): Promise<ScheduledRun> {
  const { job, step } = settings
  const untilMs = step.runtime.now() + Math.min(runMs, most)
  const lease = new Lease(store, `edge-kms/rotation/lease-${job}`, leaseMs, step)
  if (!(await lease.take(signal))) return { status: 'busy' }
  try {
    const both = AbortSignal.any([lease.lost, ...(signal === undefined ? [] : [signal])])
    return await runOnce({ options, settings, lease, maxAgeMs, untilMs, signal: both })
  } finally {
    await lease.release()
  }
}

/** Waits for the caller's function, bounded. It must not hide the error of the run. */
async function tellFailure<Env>(
  { onFailure, onFailureMs: timeoutMs }: ScheduleSettings<Env>,
  settings: ManagerSettings | undefined,
  why: Omit<ScheduledFailure, 'job'>,
): Promise<void> {
  if (onFailure === undefined) return
  const failure = { job: settings?.job ?? 'rotation', ...why }
  const { network } = settings?.step ?? { network: webNetwork }
  const error = (): Error => new Error('onFailure did not end in time')
  const ask = async (signal: AbortSignal): Promise<void> => onFailure(failure, { signal })
  await withTimeout(ask, { timeoutMs, network, error }).catch(() => undefined)
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : typedError(error, 'ERR_KMS_UNAVAILABLE', undefined)
}
