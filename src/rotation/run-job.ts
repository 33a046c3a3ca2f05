import {
  type Bounds,
  checkNumbers,
  demandSignal,
  plainOptions,
  wrongOption,
} from '../checks/index.ts'
import type { KeyLifecycleOperation } from '../ports/index.ts'
import { sleep } from '../runtime/index.ts'
import { type RotationObserver, tell } from './events.ts'
import { FruitlessSteps } from './fruitless-steps.ts'
import type { JobStates } from './job-states.ts'
import type { LifecycleLog } from './lifecycle-log.ts'
import type { RotationPlan } from './plan.ts'
import { progressOf, type RotationProgress } from './progress.ts'
import { type JobRotationResult, resultOf } from './result.ts'
import type { RotationStep } from './rotation-step.ts'
import type { StepResult } from './step-result.ts'
import type { RotationPhase, RotationState } from './rotation-state.ts'
import type { StoredState } from './state-file.ts'
import type { StepSettings } from './step-options.ts'

/** Steps in a row that an outage ends before a run gives up: about a quarter of an hour. */
const MAX_STALLS = 20

/** Options of `KeyRotationManager.run`. */
export interface RunOptions {
  /** Result of `plan()`: progress then says how much is left, and how long it will take. */
  readonly plan?: RotationPlan
  /** Records of one step, after which the job saves its state and reports progress; one page by default. */
  readonly recordsPerStep?: number
  /**
   * Steps in a row that an outage may end before the run gives up, 1 to 1,000,000; 20 by default. A later sweep that
   * rewraps nothing, but leaves values to an outage or to other writers, counts like one.
   */
  readonly maxStalls?: number
  /** Ends the run. The state stays as it was after the last step: run again to go on. */
  readonly signal?: AbortSignal | undefined
}

/** Ports of a run. */
export interface RunPorts {
  readonly settings: StepSettings
  readonly job: string
  readonly step: RotationStep
  readonly states: JobStates
  readonly log: LifecycleLog
  readonly observe: RotationObserver | undefined
}

const RUN_NUMBERS: Bounds<'recordsPerStep' | 'maxStalls'> = {
  recordsPerStep: { standard: 500, least: 1, most: 1_000_000 },
  maxStalls: { standard: MAX_STALLS, least: 1, most: 1_000_000 },
}

/** @throws KmsError `ERR_KMS_CONFIG` */
export function runOptions(options: RunOptions): RunOptions {
  const { plan, signal, ...numbers } = plainOptions(options)
  checkNumbers(RUN_NUMBERS, numbers)
  if (signal !== undefined) demandSignal(signal)
  if (plan !== undefined && typeof (Object(plan) as Partial<RotationPlan>).records !== 'number')
    throw wrongOption('plan', 'what plan() returned', plan)
  return { ...numbers, ...(plan && { plan }), signal }
}

const ENDS: Partial<Readonly<Record<RotationPhase, KeyLifecycleOperation>>> = {
  finished: 'finishRotation',
  stopped: 'stopRotation',
}

/** Steps of one process: what it read and how long it took. */
class Run {
  read = 0
  readonly stalls = new FruitlessSteps()
  readonly #ports: RunPorts
  readonly #options: RunOptions
  readonly #startMs: number

  constructor(ports: RunPorts, options: RunOptions) {
    this.#ports = ports
    this.#options = options
    this.#startMs = ports.settings.runtime.now()
  }

  /** Returns the stored state of the job, which is begun unless it runs. */
  async begin(): Promise<StoredState<RotationState>> {
    const { states, settings, log, job } = this.#ports
    const { signal } = this.#options
    const found = await states.load(signal)
    if (found.value !== undefined && found.value.phase !== 'finished') return found
    const step = { operation: 'startRotation', job, keys: [] } as const
    return log.around(step, signal, () => states.begin(settings.runtime.now(), signal))
  }

  /** Makes one step and saves its state. Another process may have changed it: then theirs counts. */
  async step(
    from: StoredState<RotationState> & { readonly value: RotationState },
  ): Promise<{ readonly stored: StoredState<RotationState>; readonly progress: RotationProgress }> {
    const { step, states, settings, observe } = this.#ports
    const { signal, recordsPerStep, plan } = this.#options
    const records = recordsPerStep ?? settings.pageSize
    const result = await step(from.value, { records, signal })
    this.read += result.read
    this.stalls.add(from.value, result)
    const saved =
      (await states.save(from, result.state, signal)) ?? (await this.#join(from, result))
    const stored = saved ?? (await states.load(signal))
    const elapsedMs = settings.runtime.now() - this.#startMs
    const shown = { ...result, state: stored.value ?? result.state }
    const progress = progressOf(shown, { read: this.read, elapsedMs }, plan)
    tell(observe, { type: 'progress', progress })
    if (saved?.value !== undefined) await this.#ended(saved.value)
    return { stored, progress }
  }

  /** Saves a step during which somebody paused the job and changed nothing else, or the store lost the state. */
  async #join(
    from: StoredState<RotationState>,
    { state }: StepResult,
  ): Promise<StoredState<RotationState> | undefined> {
    const { states } = this.#ports
    const { signal } = this.#options
    const now = await states.load(signal)
    if (now.value === undefined) return states.save(now, state, signal) // the store lost the state
    const isPaused = now.value.phase === 'paused'
    if (!isPaused || JSON.stringify({ ...now.value, phase: 'running' }) !== from.text)
      return undefined
    const next = state.phase === 'running' ? ({ ...state, phase: 'paused' } as const) : state
    return states.save(now, next, signal)
  }

  async #ended(state: RotationState): Promise<void> {
    const operation = ENDS[state.phase]
    if (operation === undefined) return
    const { log } = this.#ports
    const step = { operation, job: state.job, keys: state.target }
    await log.around(step, this.#options.signal, () => Promise.resolve())
  }
}

/** Runs a job until its phase is not `running`, and yields its progress after each step. */
export async function* runJob(
  ports: RunPorts,
  options: RunOptions,
): AsyncGenerator<RotationProgress, JobRotationResult, undefined> {
  const { network } = ports.settings
  const { signal, maxStalls = MAX_STALLS } = options
  const run = new Run(ports, options)
  let stored = await run.begin()
  while (stored.value?.phase === 'running') {
    const done = await run.step({ ...stored, value: stored.value })
    stored = done.stored
    yield done.progress
    if (stored.value === undefined) stored = await run.begin()
    const { waitMs } = done.progress
    run.stalls.demandFewer(maxStalls)
    if (waitMs > 0 && stored.value?.phase === 'running') await sleep(network, waitMs, signal)
  }
  return resultOf(stored.value as RotationState)
}
