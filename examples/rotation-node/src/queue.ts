import { newRotationState, type RotationState } from 'edge-kms/rotation'
import { PgBoss } from 'pg-boss'
import { integer, required } from './environment.ts'

export const QUEUE = 'rotation'
/** Jobs that failed too often, with the state at which they failed. */
export const FAILED = 'rotation-failed'

/** Data of a job: the state of one source's rotation. */
export interface RotationJob {
  readonly state: RotationState
}

/** Seconds after which pg-boss takes a job from its worker. A step must end long before. */
export const jobSeconds = () => integer('JOB_SECONDS', 60)

/** Returns pg-boss, started, with both queues. */
export async function startBoss(): Promise<PgBoss> {
  const seconds = jobSeconds()
  const superviseIntervalSeconds = Math.ceil(seconds / 4)
  const boss = new PgBoss({
    connectionString: required('DATABASE_URL'),
    // A notification starts the next step at once. Without it, each step would wait for a poll.
    useListenNotify: true,
    // How soon the job of a process that died is noticed, after its seconds are over.
    superviseIntervalSeconds,
    monitorIntervalSeconds: superviseIntervalSeconds,
  })
  boss.on('error', (error) => {
    console.error('pg-boss:', error.message)
  })
  await boss.start()
  await boss.createQueue(FAILED)
  await boss.createQueue(QUEUE, {
    // One job for each source, queued or active: a second rotation cannot start beside the first.
    policy: 'exclusive',
    notify: true,
    expireInSeconds: seconds,
    // A process that dies counts as a try.
    retryLimit: 20,
    retryDelay: 1,
    retryBackoff: true,
    retryDelayMax: 300,
    deadLetter: FAILED,
    deleteAfterSeconds: 86_400,
  })
  return boss
}

/** Starts the rotation of a source. Returns `false` if one is under way. */
export async function startRotation(boss: PgBoss, source: string): Promise<boolean> {
  const state = newRotationState({ job: source, sources: [source], atMs: Date.now() })
  return (await boss.send(QUEUE, { state }, { singletonKey: source })) !== null
}
