import { demandSignal, plainOptions, refuseOthers, wrongNumber } from '../checks/index.ts'
import { checkState } from './check-state.ts'
import { zeroCounts } from './counts.ts'
import type { RotationState } from './rotation-state.ts'
import { type RotationStepOptions, stepSettings } from './step-options.ts'
import type { StepBudget, StepResult } from './step-result.ts'
import { StepRun } from './step-run.ts'
import { StepTools } from './step-tools.ts'

/** Makes one step of a rotation. It may be called with the same state twice, or with an old one. */
export type RotationStep = (state: RotationState, budget?: StepBudget) => Promise<StepResult>

/**
 * Returns the step of a rotation: a function from state and budget to the next state. Keep the state in any engine
 * that repeats work, and call the step until the phase of the state is not `running`.
 *
 * @throws KmsError `ERR_KMS_CONFIG`; the step throws it too
 *
 * @example
 * ```ts
 * import type { KeyManagementService } from 'edge-kms'
 * import { createRotationStep, newRotationState, type RecordSource } from 'edge-kms/rotation'
 *
 * export async function rotateAll(kms: KeyManagementService, users: RecordSource) {
 *   const step = createRotationStep({ kms, sources: [users] })
 *   let state = newRotationState({ job: 'users', sources: [users.name], atMs: Date.now() })
 *   while (state.phase === 'running') {
 *     const { state: next, waitMs } = await step(state)
 *     state = next // keep it
 *     await new Promise((resolve) => setTimeout(resolve, waitMs))
 *   }
 *   return state.counts
 * }
 * ```
 */
export function createRotationStep(options: RotationStepOptions): RotationStep {
  const settings = stepSettings(options)
  return stepOver(new StepTools(settings))
}

/** Returns the step over tools that a runner may look into. */
export function stepOver(tools: StepTools): RotationStep {
  return (state, budget = {}) => makeStep(tools, state, budget)
}

async function makeStep(
  tools: StepTools,
  given: RotationState,
  budget: StepBudget,
): Promise<StepResult> {
  const { settings, names } = tools
  const { records = settings.pageSize, ms = Infinity, signal, ...others } = plainOptions(budget)
  refuseOthers(others)
  if (!Number.isSafeInteger(records) || records < 1 || records > 1_000_000)
    throw wrongNumber('records', 'an integer from 1 to 1000000', records)
  if (!(ms > 0)) throw wrongNumber('ms', 'above 0', ms)
  if (signal !== undefined) demandSignal(signal)
  signal?.throwIfAborted()
  const state = checkState(given, names)
  if (state.phase !== 'running') return unchanged(state)
  const run = new StepRun(tools, state, signal)
  if (await run.aim()) {
    const untilMs = settings.runtime.now() + ms
    while (run.isOpen && run.read < records && settings.runtime.now() < untilMs)
      await run.page(records - run.read)
  }
  return run.result()
}

function unchanged(state: RotationState): StepResult {
  return { state, counts: zeroCounts(), failures: [], waitMs: 0, read: 0 }
}
