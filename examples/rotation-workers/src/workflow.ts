import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from 'cloudflare:workers'
import type { RotationState } from 'edge-kms/rotation'
import type { Env } from './env.ts'
import { type RotationPart, startPart } from './parts.ts'
import { stepOf } from './step.ts'

/** Above the longest state and below the limit of a step's result, 1 MiB. */
const MAX_RESULT_BYTES = 100_000
/** An outage of the KMS or of a store is not an error: the step returns how long to wait. This is for what throws. */
const RETRIES = {
  retries: { limit: 10, delay: '10 seconds', backoff: 'exponential' },
  timeout: '5 minutes',
} as const

/** Rotates one source: each step of the Workflow is one step of the rotation, and its result is the next state. */
export class Rotation extends WorkflowEntrypoint<Env, RotationPart> {
  override async run(
    { payload }: Readonly<WorkflowEvent<RotationPart>>,
    step: WorkflowStep,
  ): Promise<string> {
    let { state } = payload
    const most = Number(this.env.STEPS_PER_INSTANCE)
    // The names are numbers: a replay of this function finds the result of each step under the same name.
    for (let n = 1; n <= most && state.phase === 'running'; n += 1) {
      const made = await step.do(`step ${String(n)}`, RETRIES, () => this.#step(state))
      const done = JSON.parse(made) as { readonly state: RotationState; readonly waitMs: number }
      state = done.state
      if (done.waitMs > 0) await step.sleep(`wait ${String(n)}`, done.waitMs)
    }
    if (state.phase !== 'running') return JSON.stringify(state)
    const next = { state, part: payload.part + 1 }
    return step.do('go on in the next part', RETRIES, () => startPart(this.env, next))
  }

  /** Returns the next state and the wait as JSON: what is measured is what is stored. */
  async #step(given: RotationState): Promise<string> {
    const [{ name } = { name: '' }] = given.sources
    const records = Number(this.env.RECORDS_PER_STEP)
    const { state, waitMs } = await stepOf(this.env, name)(given, { records })
    const made = JSON.stringify({ state, waitMs })
    if (new TextEncoder().encode(made).length > MAX_RESULT_BYTES)
      throw new Error(`the state of ${state.job} is too long for a step's result`)
    return made
  }
}
