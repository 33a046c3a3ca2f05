import type { Bytes } from '../bytes/index.ts'
import { flag, wrongOption } from '../checks/index.ts'
import { KmsError } from '../errors.ts'
import type { KekVersion } from '../kms/index.ts'
import { type RewrapDekOptions, rewrapBatch, rewrapOne } from './batch.ts'
import { type RotationCensus, takeCensus } from './census.ts'
import { failuresOf } from './counts.ts'
import { dryRun } from './dry-run.ts'
import { fingerprintSources, type SourceFingerprint } from './fingerprint-sources.ts'
import { JobStates } from './job-states.ts'
import { LifecycleLog } from './lifecycle-log.ts'
import {
  callOptions,
  type KekCallOptions,
  type ManagerCallOptions,
  type ResumeOptions,
} from './manager-calls.ts'
import {
  type KeyRotationManagerOptions,
  type ManagerSettings,
  managerSettings,
} from './manager-options.ts'
import { type PlanOptions, planRotation, type RotationPlan } from './plan.ts'
import type { RotationProgress } from './progress.ts'
import type { BatchRotationResult, JobRotationResult } from './result.ts'
import { type RetireOptions, retireSettings } from './retire-options.ts'
import type { RetirementResult } from './retirement-result.ts'
import { retireVersion } from './retirement.ts'
import { type RotationStep, stepOver } from './rotation-step.ts'
import type { RotationState } from './rotation-state.ts'
import { runJob, type RunOptions, runOptions } from './run-job.ts'
import { areExactlyCurrent } from './staleness.ts'
import { StateFile } from './state-file.ts'
import { StepTools } from './step-tools.ts'
import { readStored } from './stored-value.ts'

/**
 * Rotates KEKs, and rewraps everything that is stored under their current versions: rows, items, objects and data
 * keys.
 *
 * @example
 * ```ts
 * import type { KeyManagementService } from 'edge-kms'
 * import { KeyRotationManager, type RecordSource } from 'edge-kms/rotation'
 *
 * export async function rotate(kms: KeyManagementService, users: RecordSource) {
 *   const manager = new KeyRotationManager({ kms, sources: [users] })
 *   await manager.rotateMasterKey()
 *   for await (const { counts } of manager.run()) console.log(counts.done)
 * }
 * ```
 */
export class KeyRotationManager {
  /** The step of the job, for engines of your own: see {@link createRotationStep}. */
  readonly step: RotationStep
  readonly #settings: ManagerSettings
  readonly #tools: StepTools
  readonly #file: StateFile
  readonly #states: JobStates
  readonly #log: LifecycleLog

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: KeyRotationManagerOptions) {
    const settings = managerSettings(options)
    const { step, job, states, audit, observe } = settings
    this.#settings = settings
    this.#tools = new StepTools(step)
    this.step = stepOver(this.#tools)
    this.#file = new StateFile(states, step)
    this.#states = new JobStates(this.#file, job, this.#tools.names)
    this.#log = new LifecycleLog({ audit, observe, runtime: step.runtime })
  }

  /**
   * Makes a new version of each KEK current, and returns the versions. Old ones still unwrap.
   *
   * @throws KmsError `ERR_KMS_UNSUPPORTED` if the KMS cannot rotate, `ERR_KMS_TIMEOUT` after `callTimeoutMs`: a new
   * version may exist nevertheless; or the KMS's error
   */
  async rotateMasterKey(options: KekCallOptions = {}): Promise<readonly KekVersion[]> {
    const { context, signal } = callOptions(options, 'context')
    return this.#tools.keks.rotate(context, signal)
  }

  /**
   * Returns one envelope, or data-key record, under the current KEKs. The body stays byte for byte.
   *
   * @throws KmsError as `EnvelopeCipher.rewrap`
   */
  async rewrapDek(envelope: Uint8Array, options: RewrapDekOptions = {}): Promise<Bytes> {
    return rewrapOne(this.#settings.step, envelope, callOptions(options, 'context'))
  }

  /** Rewraps many envelopes or data-key records, and returns each of them, or its error. */
  async rewrapDeksBatch(
    envelopes: readonly Uint8Array[],
    options: RewrapDekOptions = {},
  ): Promise<BatchRotationResult> {
    const { keks } = this.#tools
    callOptions(options, 'context')
    if (!Array.isArray(envelopes))
      throw wrongOption('envelopes', 'an array of Uint8Array', envelopes)
    const versions = keks.byContext ? [] : await keks.of(undefined, options.signal)
    return rewrapBatch(this.#settings.step, versions, envelopes, options)
  }

  /**
   * Returns whether an envelope is under exactly the current KEKs; `undefined` for a message by reference, whose
   * data key is elsewhere. The claims of an envelope about itself are not authenticated.
   *
   * @throws KmsError `ERR_WIRE_*` for bytes that are not an envelope, or the KMS's error
   */
  async isCurrentVersion(
    envelope: Uint8Array | string,
    options: KekCallOptions = {},
  ): Promise<boolean | undefined> {
    const { context, signal } = callOptions(options, 'context')
    const message = readStored(envelope)
    if (message === undefined)
      throw new KmsError('ERR_WIRE_MALFORMED', { message: 'the value is not an envelope' })
    const { header } = message.head
    if (header === undefined) return undefined
    const current = await this.#tools.keks.of(context ?? header.stored, signal)
    return areExactlyCurrent(header.wraps, current)
  }

  /** Returns what is stored, by version and class: every record is read once, and no data key is opened. */
  async census(options: ManagerCallOptions = {}): Promise<RotationCensus> {
    return takeCensus(this.#settings.step, this.#tools.keks, callOptions(options).signal)
  }

  /** Returns what the job will cost: requests to each vendor, money and time. It changes nothing. */
  async plan(options: PlanOptions = {}): Promise<RotationPlan> {
    return planRotation(this.#settings.step, options)
  }

  /**
   * Runs the job with all its calls to the KMS, but does not replace anything. For objects in buckets it counts the
   * calls without making them.
   */
  async dryRun(options: ManagerCallOptions = {}): Promise<JobRotationResult> {
    return dryRun(this.#settings.step, this.#settings.job, callOptions(options).signal)
  }

  /**
   * Runs the job in this process until it has finished, is paused or has stopped. Yields the progress after each
   * step, and returns the result. It continues a job that another run left.
   *
   * @throws KmsError the error of a KMS or source that does not answer for long; run again to go on
   */
  run(options: RunOptions = {}): AsyncGenerator<RotationProgress, JobRotationResult, undefined> {
    const { step: settings, job, observe } = this.#settings
    const { step } = this
    const ports = { settings, job, step, states: this.#states, log: this.#log, observe }
    return runJob(ports, runOptions(options))
  }

  /**
   * Pauses the job, wherever it runs: after its step. Returns its state. Returns `undefined`, and pauses nothing, if
   * no run has started the job yet.
   *
   * @throws KmsError `ERR_STORE_UNAVAILABLE`
   */
  async pause(options: ManagerCallOptions = {}): Promise<RotationState | undefined> {
    const { signal } = callOptions(options)
    return this.#log.around(this.#lifecycle('pauseRotation'), signal, () =>
      this.#states.update(
        (state) => (state.phase === 'running' ? { ...state, phase: 'paused' } : undefined),
        signal,
      ),
    )
  }

  /**
   * Makes a paused or stopped job ready to run again; then call `run`. A paused job continues where it was. A stopped
   * job starts from its beginning and skips what is already done. Returns its state, or `undefined` for an unknown
   * job.
   *
   * @throws KmsError `ERR_STORE_UNAVAILABLE`
   */
  async resume(options: ResumeOptions = {}): Promise<RotationState | undefined> {
    const { acceptFailures = false, signal } = callOptions(options, 'acceptFailures')
    flag('acceptFailures', acceptFailures)
    return this.#log.around(this.#lifecycle('resumeRotation'), signal, () =>
      this.#states.update((state) => {
        if (state.phase !== 'paused' && state.phase !== 'stopped') return undefined
        if (acceptFailures)
          return { ...state, phase: 'running', forgiven: failuresOf(state.counts) }
        if (state.phase === 'paused') return { ...state, phase: 'running' }
        return this.#states.fresh(this.#settings.step.runtime.now())
      }, signal),
    )
  }

  /** Returns the state of the job, or `undefined` if there is none. */
  async status(options: ManagerCallOptions = {}): Promise<RotationState | undefined> {
    return (await this.#states.load(callOptions(options).signal)).value
  }

  /** Returns a fingerprint of each source, for `compareFingerprints`. It changes nothing. */
  async fingerprint(options: ManagerCallOptions = {}): Promise<readonly SourceFingerprint[]> {
    return fingerprintSources(this.#settings.step, this.#tools.keks, callOptions(options).signal)
  }

  /**
   * Takes the next step to retire an old version, or returns why no step is due. Call it on a schedule. It refuses
   * while a value refers to the version or a writer may still hold a data key under it. It disables first, and
   * destroys only a version that was disabled for `destroyAfterMs`.
   *
   * @throws KmsError `ERR_KMS_CONFIG` for a version that is current, or the error of the lifecycle
   */
  async retire(options: RetireOptions): Promise<RetirementResult> {
    const { step: settings, job } = this.#settings
    const { keks, pacer } = this.#tools
    const ports = { settings, keks, pacer, file: this.#file, log: this.#log, job }
    return retireVersion(ports, retireSettings(options))
  }

  #lifecycle(operation: 'pauseRotation' | 'resumeRotation') {
    return { operation, job: this.#settings.job, keys: [] } as const
  }
}
