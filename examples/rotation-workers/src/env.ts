import type { StoreObjectNamespace } from 'edge-kms/workers'
import type { RotationPart } from './parts.ts'

/** The bindings of the Worker. The variables of the KMS are read by their names in `stackFromEnv`. */
export interface Env {
  readonly DB: D1Database
  readonly DATA_KEYS: StoreObjectNamespace
  readonly ROTATION: Workflow<RotationPart>
  readonly SOURCES: Queue<SourceMessage>
  readonly RECORDS_PER_STEP: string
  readonly STEPS_PER_INSTANCE: string
  readonly KMS_REQUESTS_PER_SECOND: string
}

/** Message of the queue: rotate this source. */
export interface SourceMessage {
  readonly source: string
  /** When the rotation was asked for: the same message, delivered twice, names the same rotation. */
  readonly atMs: number
}
