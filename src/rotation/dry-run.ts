import { type JobRotationResult, resultOf } from './result.ts'
import { stepOver } from './rotation-step.ts'
import { newRotationState } from './state.ts'
import { StepTools } from './step-tools.ts'
import type { StepSettings } from './step-options.ts'

/**
 * Does all that a job does, and replaces nothing.
 *
 * @throws KmsError the error of a KMS or source that does not answer
 */
export async function dryRun(
  settings: StepSettings,
  job: string,
  signal: AbortSignal | undefined,
): Promise<JobRotationResult> {
  const tools = new StepTools(settings, true)
  const step = stepOver(tools)
  let state = newRotationState({ job, sources: tools.names, atMs: settings.runtime.now() })
  while (state.phase === 'running') {
    const result = await step(state, { records: settings.pageSize, signal })
    if (result.outage !== undefined) throw result.outage.error
    state = result.state
  }
  return resultOf(state, true)
}
