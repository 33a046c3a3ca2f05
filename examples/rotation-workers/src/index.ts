import { newRotationState } from 'edge-kms/rotation'
import type { Env, SourceMessage } from './env.ts'
import { startPart } from './parts.ts'
import { sourcesOf } from './step.ts'

export { EdgeKmsStoreObject } from 'edge-kms/workers'
export { Rotation } from './workflow.ts'

export default {
  /** Asks for a rotation of each source. */
  async scheduled({ scheduledTime }, env) {
    const messages = sourcesOf(env).map(({ name }) => ({
      body: { source: name, atMs: scheduledTime },
    }))
    await env.SOURCES.sendBatch(messages)
  },

  /** Starts a Workflow for each source. A message that fails is delivered again, the others of its batch are not. */
  async queue({ messages }, env) {
    for (const message of messages) {
      const { source, atMs } = message.body
      const job = `${source}-${String(atMs)}`
      try {
        const state = newRotationState({ job, sources: [source], atMs })
        await startPart(env, { state, part: 1 })
        message.ack()
      } catch (error) {
        console.error(job, error)
        message.retry()
      }
    }
  },
} satisfies ExportedHandler<Env, SourceMessage>
