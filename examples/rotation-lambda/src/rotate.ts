import { setTimeout as sleep } from 'node:timers/promises'
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda'
import { createRotationStep } from 'edge-kms/rotation'
import { send, type StepMessage } from './messages.js'
import { createKms, createSources, integer } from './stack.js'

/** Time that is kept for the answer: the step must end before it. */
const MARGIN_MS = 5_000
/** A queue in order has no delay for single messages, so the function waits after an outage. */
const LONGEST_WAIT_MS = 60_000

const kms = createKms()
const sources = createSources()
const steps = new Map(
  sources.map((source) => [
    source.name,
    createRotationStep({
      kms,
      sources: [source],
      rate: { share: 0.5 / sources.length },
      failures: (failures) => {
        for (const failure of failures) console.error(JSON.stringify(failure))
      },
    }),
  ]),
)

/** Makes a step for each message, and sends the next ones. Messages that fail come back alone. */
export async function handler(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
  const signal = AbortSignal.timeout(Math.max(1, context.getRemainingTimeInMillis() - MARGIN_MS))
  const done = await Promise.allSettled(event.Records.map((record) => advance(record, signal)))
  const batchItemFailures = event.Records.flatMap(({ messageId }, at) => {
    const one = done[at]
    if (one?.status !== 'rejected') return []
    console.error(messageId, one.reason)
    return [{ itemIdentifier: messageId }]
  })
  return { batchItemFailures }
}

async function advance({ body }: SQSRecord, signal: AbortSignal): Promise<void> {
  const { n, state: given } = JSON.parse(body) as StepMessage
  const step = steps.get(given.job)
  if (step === undefined) throw new Error(`there is no source ${given.job}`)
  const budget = { records: integer('RECORDS_PER_STEP'), ms: 20_000, signal }
  const { state, waitMs } = await step(given, budget)
  if (state.phase !== 'running') {
    console.log(JSON.stringify({ job: state.job, phase: state.phase, counts: state.counts }))
    return
  }
  if (waitMs > 0) await sleep(Math.min(waitMs, LONGEST_WAIT_MS), undefined, { signal })
  // Sent before this message is deleted: a crash in between delivers this one again, and loses nothing.
  await send({ n: n + 1, state })
}
