import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import type { RotationState } from 'edge-kms/rotation'
import { required } from './stack.js'

/** Body of a message: what the next step starts from. */
export interface StepMessage {
  /** Number of the step, from 1. */
  readonly n: number
  readonly state: RotationState
}

const sqs = new SQSClient({})

/**
 * Sends the message of a step. Its deduplication id is the number of the step: where a message is delivered twice,
 * both deliveries send the same next one, and SQS keeps one. Its group is the source: two steps of a source never run
 * at once.
 */
export async function send({ n, state }: StepMessage): Promise<void> {
  await sqs.send(
    new SendMessageCommand({
      QueueUrl: required('QUEUE_URL'),
      MessageBody: JSON.stringify({ n, state }),
      MessageGroupId: state.job,
      MessageDeduplicationId: `${state.job}-${String(state.startedAtMs)}-${String(n)}`,
    }),
  )
}
