import type { KeyManagementService } from 'edge-kms'
import { createRotationStep, type RecordSource } from 'edge-kms/rotation'
import type { Db, Job, PgBoss } from 'pg-boss'
import { integer } from './environment.ts'
import { jobSeconds, QUEUE, type RotationJob } from './queue.ts'

/** Works on the jobs of the queue: each is one step, and sends the next one. */
export async function work(
  boss: PgBoss,
  kms: KeyManagementService,
  sources: readonly RecordSource[],
): Promise<void> {
  const steps = new Map(sources.map((source) => [source.name, stepOf(kms, source)]))
  const budget = {
    records: integer('RECORDS_PER_STEP', 2_000),
    ms: (jobSeconds() * 1_000) / 4,
  }
  const options = {
    transactional: true,
    localConcurrency: sources.length,
    pollingIntervalSeconds: 1,
  } as const
  const handle = async ([job]: Job<RotationJob>[], transaction: Db): Promise<void> => {
    if (job === undefined) return
    const given = job.data.state
    const step = steps.get(given.job)
    if (step === undefined) throw new Error(`there is no source ${given.job}`)
    const { state, waitMs } = await step(given, { ...budget, signal: job.signal })
    // The end of this job and the next job commit together: a crash before that repeats this step, a crash after it
    // does not lose the next one. This job ends first, because the queue holds one job for each source.
    await boss.complete(QUEUE, job, null, { db: transaction })
    if (state.phase !== 'running') {
      console.log(`${state.job} ${state.phase}: ${JSON.stringify(state.counts)}`)
      return
    }
    const when = waitMs > 0 ? { startAfter: Math.ceil(waitMs / 1_000) } : {}
    await boss.send(QUEUE, { state }, { singletonKey: state.job, db: transaction, ...when })
  }
  await boss.work(QUEUE, options, handle)
}

function stepOf(kms: KeyManagementService, source: RecordSource) {
  return createRotationStep({
    kms,
    sources: [source],
    failures: (failures) => {
      for (const { id, field, code } of failures) console.error(source.name, id, field, code)
    },
  })
}
