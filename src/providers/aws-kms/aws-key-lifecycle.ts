import type { AwsClient } from '../../credentials/aws/index.ts'
import { KmsError } from '../../errors.ts'
import type { JsonObject } from '../../http/index.ts'
import {
  CANCEL_FIRST,
  demandOwnKek,
  demandState,
  DISABLE_FIRST,
  type KekVersion,
  type KeyLifecycle,
  type KeyLifecycleOptions,
  type KeyVersionState,
  NOT_SCHEDULED,
  type ScheduledDestruction,
  unsupportedStep,
} from '../../kms/index.ts'
import { callKms, invalid, PROVIDER } from './kms-call.ts'

/** States of a key: https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html */
const STATES: Readonly<Record<string, KeyVersionState>> = {
  Enabled: 'enabled',
  Updating: 'enabled', // the primary Region of a multi-Region key changes; the key works all the while
  Disabled: 'disabled',
  PendingImport: 'disabled',
  PendingDeletion: 'pending-destruction',
  PendingReplicaDeletion: 'pending-destruction',
}

/** {@link KeyLifecycle} of one key of AWS KMS. */
export class AwsKeyLifecycle implements KeyLifecycle {
  readonly provider: string = PROVIDER
  /** Absent if AWS is not to be asked. */
  readonly lastUsedAtMs?: NonNullable<KeyLifecycle['lastUsedAtMs']>
  readonly #client: AwsClient
  readonly #keyArn: string
  readonly #pendingWindowDays: number

  constructor(client: AwsClient, keyArn: string, pendingWindowDays: number, lastUsage: boolean) {
    this.#client = client
    this.#keyArn = keyArn
    this.#pendingWindowDays = pendingWindowDays
    if (lastUsage) this.lastUsedAtMs = (version, options = {}) => this.#lastUse(version, options)
  }

  async stateOf(version: KekVersion, options: KeyLifecycleOptions = {}): Promise<KeyVersionState> {
    return (await this.#describe(version, options)).state
  }

  async disable(version: KekVersion, options: KeyLifecycleOptions = {}): Promise<void> {
    const state = await this.stateOf(version, options)
    demandState(PROVIDER, state, ['enabled', 'disabled'], CANCEL_FIRST)
    await this.#call('DisableKey', {}, options)
  }

  async enable(version: KekVersion, options: KeyLifecycleOptions = {}): Promise<void> {
    const state = await this.stateOf(version, options)
    demandState(PROVIDER, state, ['enabled', 'disabled'], CANCEL_FIRST)
    await this.#call('EnableKey', {}, options)
  }

  async scheduleDestruction(
    version: KekVersion,
    options: KeyLifecycleOptions = {},
  ): Promise<ScheduledDestruction> {
    const { state, destroyAtMs } = await this.#describe(version, options)
    if (state === 'pending-destruction') return destroyAtMs === undefined ? {} : { destroyAtMs }
    demandState(PROVIDER, state, ['disabled'], DISABLE_FIRST)
    const input = { PendingWindowInDays: this.#pendingWindowDays }
    const scheduled = timeIn(
      await this.#call('ScheduleKeyDeletion', input, options),
      'DeletionDate',
    )
    return scheduled === undefined ? {} : { destroyAtMs: scheduled } // a primary waits for its replicas
  }

  async cancelDestruction(version: KekVersion, options: KeyLifecycleOptions = {}): Promise<void> {
    const state = await this.stateOf(version, options)
    demandState(PROVIDER, state, ['pending-destruction'], NOT_SCHEDULED)
    await this.#call('CancelKeyDeletion', {}, options)
  }

  /** @see https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyLastUsage.html */
  async #lastUse(version: KekVersion, options: KeyLifecycleOptions): Promise<number | undefined> {
    this.#check(version)
    const answer = await this.#call('GetKeyLastUsage', {}, options)
    return timeIn((answer['KeyLastUsage'] ?? {}) as JsonObject, 'Timestamp')
  }

  async #describe(
    version: KekVersion,
    options: KeyLifecycleOptions,
  ): Promise<{ readonly state: KeyVersionState; readonly destroyAtMs: number | undefined }> {
    this.#check(version)
    const answer = await this.#call('DescribeKey', {}, options)
    const fields = (answer['KeyMetadata'] ?? {}) as JsonObject
    if (fields['Arn'] !== this.#keyArn) throw invalid('DescribeKey', 'the answer has another key')
    const name = String(fields['KeyState'])
    const state = Object.hasOwn(STATES, name) ? STATES[name] : undefined
    if (state !== undefined) return { state, destroyAtMs: timeIn(fields, 'DeletionDate') }
    const message = 'the key is still being made, or its key store does not answer'
    throw new KmsError('ERR_KMS_UNAVAILABLE', { provider: PROVIDER, message })
  }

  #check(version: KekVersion): void {
    demandOwnKek({ provider: PROVIDER, kekId: this.#keyArn }, version)
    if (version.kekVersion !== '')
      throw unsupportedStep(
        PROVIDER,
        'AWS KMS keeps all old material of a key: retire the whole key, with an empty kekVersion, once everything is under another key',
      )
  }

  async #call(
    operation: string,
    input: JsonObject,
    { signal }: KeyLifecycleOptions,
  ): Promise<JsonObject> {
    signal?.throwIfAborted()
    const named = { KeyId: this.#keyArn, ...input }
    return callKms(this.#client, operation, named, { signal })
  }
}

/** Returns a time of an answer, which AWS gives in seconds, in milliseconds. */
function timeIn(fields: JsonObject, name: string): number | undefined {
  const seconds = fields[name]
  return typeof seconds === 'number' && seconds > 0 ? Math.round(seconds * 1_000) : undefined
}
