import type { GcpCall, GcpClient } from '../../credentials/gcp/index.ts'
import { KmsError } from '../../errors.ts'
import { type JsonObject, stringField } from '../../http/index.ts'
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
import { PROVIDER } from './errors.ts'
import { isVersion, versionName } from './key-name.ts'

/** States of a version: google/cloud/kms/v1/resources.proto. Others pass by themselves, or need a look. */
const STATES: Readonly<Record<string, KeyVersionState>> = {
  ENABLED: 'enabled',
  DISABLED: 'disabled',
  DESTROY_SCHEDULED: 'pending-destruction',
  PENDING_EXTERNAL_DESTRUCTION: 'pending-destruction',
  DESTROYED: 'destroyed',
}

/** Facts about a version. */
interface VersionFacts {
  readonly state: KeyVersionState
  readonly destroyAtMs: number | undefined
}

/** {@link KeyLifecycle} of the versions of one key of GCP Cloud KMS. */
export class GcpKeyLifecycle implements KeyLifecycle {
  readonly provider: string = PROVIDER
  readonly #client: GcpClient
  readonly #base: string
  readonly #keyName: string

  /** @param base - what every URL begins with, from the configuration */
  constructor(client: GcpClient, base: string, keyName: string) {
    this.#client = client
    this.#base = base
    this.#keyName = keyName
  }

  async stateOf(version: KekVersion, options: KeyLifecycleOptions = {}): Promise<KeyVersionState> {
    return (await this.#get(version, options)).state
  }

  disable(version: KekVersion, options: KeyLifecycleOptions = {}): Promise<void> {
    return this.#update(version, 'DISABLED', options)
  }

  enable(version: KekVersion, options: KeyLifecycleOptions = {}): Promise<void> {
    return this.#update(version, 'ENABLED', options)
  }

  async scheduleDestruction(
    version: KekVersion,
    options: KeyLifecycleOptions = {},
  ): Promise<ScheduledDestruction> {
    const known = await this.#get(version, options)
    const done = known.state === 'pending-destruction' || known.state === 'destroyed'
    if (!done) demandState(PROVIDER, known.state, ['disabled'], DISABLE_FIRST)
    const { destroyAtMs } = done
      ? known
      : await this.#call(version, { method: 'POST', operation: 'DestroyCryptoKeyVersion' }, options)
    return destroyAtMs === undefined ? {} : { destroyAtMs }
  }

  async cancelDestruction(version: KekVersion, options: KeyLifecycleOptions = {}): Promise<void> {
    const { state } = await this.#get(version, options)
    demandState(PROVIDER, state, ['pending-destruction'], NOT_SCHEDULED)
    const restore = { method: 'POST', operation: 'RestoreCryptoKeyVersion' } as const
    await this.#call(version, restore, options)
  }

  async #update(
    version: KekVersion,
    state: 'ENABLED' | 'DISABLED',
    options: KeyLifecycleOptions,
  ): Promise<void> {
    const known = await this.#get(version, options)
    demandState(PROVIDER, known.state, ['enabled', 'disabled'], CANCEL_FIRST)
    const update = {
      method: 'PATCH',
      operation: 'UpdateCryptoKeyVersion',
      body: { state },
    } as const
    const { state: now } = await this.#call(version, update, options)
    if (now !== STATES[state]) throw invalid('the version is not in the requested state')
  }

  #get(version: KekVersion, options: KeyLifecycleOptions): Promise<VersionFacts> {
    return this.#call(version, { method: 'GET', operation: 'GetCryptoKeyVersion' }, options)
  }

  async #call(
    version: KekVersion,
    call: Pick<GcpCall, 'method' | 'operation'> & { readonly body?: object },
    { signal }: KeyLifecycleOptions,
  ): Promise<VersionFacts> {
    signal?.throwIfAborted()
    demandOwnKek({ provider: PROVIDER, kekId: this.#keyName }, version)
    const { kekVersion } = version
    if (!isVersion(kekVersion))
      throw unsupportedStep(
        PROVIDER,
        'GCP retires the versions of a key one by one: name a version',
      )
    const name = versionName(this.#keyName, kekVersion)
    const { method, operation, body = {} } = call
    const answer = await this.#client.call({
      operation,
      method,
      url: this.#base + name + (ENDS[operation] ?? ''), // W3.24: from the configuration, except a number
      signal,
      ...(method !== 'GET' && { body }),
    })
    if (stringField(answer, 'name') !== name) throw invalid('the answer has another version')
    return factsOf(answer)
  }
}

/** The end of each method's URL, behind the name of the version. */
const ENDS: Readonly<Record<string, string>> = {
  UpdateCryptoKeyVersion: '?updateMask=state',
  DestroyCryptoKeyVersion: ':destroy',
  RestoreCryptoKeyVersion: ':restore',
}

function factsOf(answer: JsonObject): VersionFacts {
  const name = stringField(answer, 'state')
  const state = Object.hasOwn(STATES, name) ? STATES[name] : undefined
  if (state === undefined) {
    const message = 'the version is still being made, or was not made: look at it in the console'
    throw new KmsError('ERR_KMS_UNAVAILABLE', { provider: PROVIDER, message })
  }
  const destroyAtMs = Date.parse(String(answer['destroyTime']))
  return { state, destroyAtMs: Number.isNaN(destroyAtMs) ? undefined : destroyAtMs }
}

function invalid(message: string): KmsError {
  return new KmsError('ERR_KMS_RESPONSE_INVALID', { message, provider: PROVIDER })
}
