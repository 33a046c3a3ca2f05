import type { KekVersion, KeyLifecycle } from '../kms/index.ts'
import { type ContractCase, demand, demandCode } from './contract-case.ts'

/** A version to retire, with what uses it. */
export interface KeyLifecycleWorld {
  readonly lifecycle: KeyLifecycle
  /** An enabled version that nothing wraps under any more: of AWS a whole key, else an old version. */
  readonly version: KekVersion
  /** Opens a wrap under the version, by the service's KMS. */
  readonly open: () => Promise<unknown>
  /** A lifecycle of the same key with the service's own credentials, which must not change anything. */
  readonly denied?: KeyLifecycle
}

/** The subject of the suite: how to test a {@link KeyLifecycle}. */
export interface KeyLifecycleSubject {
  /** Makes a new key for each case. */
  create(): KeyLifecycleWorld | Promise<KeyLifecycleWorld>
  /** Steps that the vendor or the server cannot do, each with the reason. */
  readonly without?: {
    /** Disabled versions do not open. */
    readonly states?: string
    /** A version can be destroyed. */
    readonly destruction?: string
    /** A destruction can be cancelled. */
    readonly cancelling?: string
    /** The credentials differ. */
    readonly permissions?: string
  }
}

type Run = (world: KeyLifecycleWorld) => Promise<void>

/** The refusals of a step that must not be made. */
const REFUSED = ['ERR_KMS_UNSUPPORTED', 'ERR_KMS_CONFIG'] as const
/** The refusals of a version that there is not. */
const UNKNOWN = ['ERR_KMS_KEY_NOT_FOUND', ...REFUSED] as const

/**
 * The contract of a {@link KeyLifecycle}, as cases for any test runner.
 *
 * @example
 * ```ts
 * import { type KeyLifecycleWorld, keyLifecycleContract } from 'edge-kms/testing'
 *
 * export const casesOf = (newKey: () => Promise<KeyLifecycleWorld>) => keyLifecycleContract({ create: newKey })
 * ```
 */
export function keyLifecycleContract(subject: KeyLifecycleSubject): readonly ContractCase[] {
  const { states, destruction, cancelling = destruction, permissions } = subject.without ?? {}
  const add = (name: string, run: Run, skip?: string): ContractCase => ({
    name,
    ...(skip !== undefined && { skip }),
    run: async () => run(await subject.create()),
  })
  return [
    add('says that a version is enabled, which opens', saysEnabled),
    add('disables, twice, and the version does not open', disables, states),
    add('enables, twice, and the version opens again', enables),
    add('refuses to destroy an enabled version, which still opens', refusesToSkipDisabling),
    add('schedules the destruction of a disabled version, twice', destroys, destruction),
    add('cancels a destruction: the version is disabled then', cancels, cancelling),
    add('refuses to enable what is to be destroyed', refusesToEnable, destruction),
    add('refuses to cancel where nothing is scheduled', refusesToCancel),
    add('refuses a version of another provider or KEK', refusesOthers),
    add('refuses a version that there is not', refusesUnknown),
    add(
      "refuses the service's own credentials, and changes nothing",
      refusesStrangers,
      permissions,
    ),
    add('rejects with the reason of an aborted signal', honoursAbort),
  ]
}

const saysEnabled: Run = async ({ lifecycle, version, open }) => {
  demand(lifecycle.provider === version.provider, 'the provider is not that of the version')
  demand((await lifecycle.stateOf(version)) === 'enabled', 'it is not enabled')
  await open()
}

const disables: Run = async ({ lifecycle, version, open }) => {
  await lifecycle.disable(version)
  await lifecycle.disable(version)
  demand((await lifecycle.stateOf(version)) === 'disabled', 'it is not disabled')
  await demandCode(open(), 'ERR_KMS_KEY_DISABLED', 'ERR_KMS_KEY_NOT_FOUND')
}

const enables: Run = async ({ lifecycle, version, open }) => {
  await lifecycle.disable(version)
  await lifecycle.enable(version)
  await lifecycle.enable(version)
  demand((await lifecycle.stateOf(version)) === 'enabled', 'it is not enabled')
  await open()
}

const refusesToSkipDisabling: Run = async ({ lifecycle, version, open }) => {
  await demandCode(lifecycle.scheduleDestruction(version), ...REFUSED)
  demand((await lifecycle.stateOf(version)) === 'enabled', 'its state changed')
  await open()
}

const destroys: Run = async ({ lifecycle, version, open }) => {
  await lifecycle.disable(version)
  const { destroyAtMs } = await lifecycle.scheduleDestruction(version)
  const again = await lifecycle.scheduleDestruction(version)
  demand(again.destroyAtMs === destroyAtMs, 'a second request changed the time')
  const state = await lifecycle.stateOf(version)
  const expected = destroyAtMs === undefined ? 'destroyed' : 'pending-destruction'
  demand(state === expected, `it is ${state}, not ${expected}`)
  await demandCode(
    open(),
    'ERR_KMS_KEY_DISABLED',
    'ERR_KMS_KEY_NOT_FOUND',
    'ERR_DECRYPT_FAILED', // of a version that is gone nothing is known
  )
}

const cancels: Run = async ({ lifecycle, version, open }) => {
  await lifecycle.disable(version)
  await lifecycle.scheduleDestruction(version)
  await lifecycle.cancelDestruction(version)
  demand((await lifecycle.stateOf(version)) === 'disabled', 'it is not disabled')
  await lifecycle.enable(version)
  await open()
}

const refusesToEnable: Run = async ({ lifecycle, version }) => {
  await lifecycle.disable(version)
  await lifecycle.scheduleDestruction(version)
  const state = await lifecycle.stateOf(version)
  await demandCode(lifecycle.enable(version), ...REFUSED)
  await demandCode(lifecycle.disable(version), ...REFUSED)
  demand((await lifecycle.stateOf(version)) === state, 'its state changed')
}

const refusesToCancel: Run = async ({ lifecycle, version }) => {
  await demandCode(lifecycle.cancelDestruction(version), ...REFUSED)
  demand((await lifecycle.stateOf(version)) === 'enabled', 'its state changed')
}

const refusesOthers: Run = async ({ lifecycle, version, open }) => {
  for (const other of [
    { ...version, provider: 'other' },
    { ...version, kekId: `${version.kekId}-2` },
    { ...version, kekId: '' },
  ])
    for (const step of stepsOf(lifecycle, other)) await demandCode(step(), ...REFUSED)
  await open()
}

const refusesUnknown: Run = async ({ lifecycle, version, open }) => {
  for (const kekVersion of ['999999', 'f'.repeat(32), '01', '-1', 'x/../y'])
    for (const step of stepsOf(lifecycle, { ...version, kekVersion }))
      await demandCode(step(), ...UNKNOWN)
  await open()
}

const refusesStrangers: Run = async ({ lifecycle, version, open, denied }) => {
  demand(denied !== undefined, 'the world has no denied lifecycle')
  await demandCode(denied.disable(version), 'ERR_KMS_ACCESS_DENIED')
  await open()
  await lifecycle.disable(version)
  await demandCode(denied.enable(version), 'ERR_KMS_ACCESS_DENIED')
  const destroy = denied.scheduleDestruction(version)
  await demandCode(destroy, 'ERR_KMS_ACCESS_DENIED', 'ERR_KMS_UNSUPPORTED')
  demand((await lifecycle.stateOf(version)) === 'disabled', 'its state changed')
  await lifecycle.enable(version)
  await open()
}

const honoursAbort: Run = async ({ lifecycle, version }) => {
  const reason = new Error('aborted by the contract')
  for (const step of stepsOf(lifecycle, version, AbortSignal.abort(reason))) {
    const caught: unknown = await step().then(
      () => undefined,
      (error: unknown) => error,
    )
    demand(caught === reason, 'it did not reject with the reason')
  }
  demand((await lifecycle.stateOf(version)) === 'enabled', 'its state changed')
}

function stepsOf(
  lifecycle: KeyLifecycle,
  version: KekVersion,
  signal?: AbortSignal,
): readonly (() => Promise<unknown>)[] {
  const options = { signal }
  return [
    () => lifecycle.stateOf(version, options),
    () => lifecycle.disable(version, options),
    () => lifecycle.enable(version, options),
    () => lifecycle.scheduleDestruction(version, options),
  ]
}
