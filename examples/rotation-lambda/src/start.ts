import { newRotationState } from 'edge-kms/rotation'
import { send } from './messages.js'
import { createSources } from './stack.js'

/** Event of EventBridge Scheduler or of a rule. */
interface Scheduled {
  readonly time: string
}

/** Starts a rotation of each source. The same event twice starts one. */
export async function handler({ time }: Scheduled): Promise<void> {
  const atMs = Date.parse(time)
  if (Number.isNaN(atMs)) throw new Error('time must be a date')
  for (const { name } of createSources())
    await send({ n: 1, state: newRotationState({ job: name, sources: [name], atMs }) })
}
