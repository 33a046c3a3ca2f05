import { demandMethods, wrongOption } from '../checks/index.ts'
import type { RotationObserver } from './events.ts'
import type { RotationAudit } from './lifecycle-log.ts'
import { checkJob } from './state.ts'
import { memoryStateStore, type RotationStateStore } from './state-store.ts'
import { type RotationStepOptions, stepSettings, type StepSettings } from './step-options.ts'

/** Options of {@link KeyRotationManager}. */
export interface KeyRotationManagerOptions extends RotationStepOptions {
  /** Names the job in its state, in events and in the audit trail; `rotation` by default. */
  readonly job?: string
  /** The store of the job's state; by default the memory of this process. */
  readonly states?: RotationStateStore
  /** Receives each step of the job, and each lifecycle step. */
  readonly observe?: RotationObserver
  /** Records each lifecycle step: a `KmsAuditTrail` of `edge-kms/observability`. */
  readonly audit?: RotationAudit
}

/** The options, checked and complete. */
export interface ManagerSettings {
  readonly step: StepSettings
  readonly job: string
  readonly states: RotationStateStore
  readonly observe: RotationObserver | undefined
  readonly audit: RotationAudit | undefined
}

/** @throws KmsError `ERR_KMS_CONFIG` */
export function managerSettings(options: KeyRotationManagerOptions): ManagerSettings {
  if (Object(options) !== options) throw wrongOption('options', 'an object', options)
  const { job = 'rotation', states = memoryStateStore(), observe, audit, ...step } = options
  demandMethods('states', states, ['load', 'save'])
  if (audit !== undefined) demandMethods('audit', audit, ['actor', 'record'])
  if (observe !== undefined && typeof observe !== 'function')
    throw wrongOption('observe', 'a function', observe)
  return { step: stepSettings(step), job: checkJob(job), states, observe, audit }
}
