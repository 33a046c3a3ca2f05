import type { JsonObject } from '../../http/index.ts'
import { configError, plainOptions, refuseOthers, wrongOption } from '../../checks/index.ts'
import { invalidAnswer } from './vault-client.ts'

/** When Key Vault makes a new version by itself. Durations are ISO 8601, e.g. `P90D` or `P1Y`. */
export interface AzureRotationPolicy {
  /** Time after a version was made at which Azure rotates. Excludes `rotateBeforeExpiry`. */
  readonly rotateAfter?: string
  /** Time before a version expires at which Azure rotates. Requires `expiryTime`. */
  readonly rotateBeforeExpiry?: string
  /** Time before a version expires at which Azure notifies Event Grid. */
  readonly notifyBeforeExpiry?: string
  /** Lifetime of new versions, at least 28 days. An expired version still unwraps, but does not wrap. */
  readonly expiryTime?: string
}

/** Years, months, weeks and days: what Azure takes. */
const DURATION = /^P(?=\d)(?:\d{1,4}Y)?(?:\d{1,4}M)?(?:\d{1,4}W)?(?:\d{1,5}D)?$/

/**
 * As Azure wants it.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 * @see https://learn.microsoft.com/rest/api/keyvault/keys/update-key-rotation-policy
 */
export function policyInput(policy: AzureRotationPolicy): JsonObject {
  const { rotateAfter, rotateBeforeExpiry, notifyBeforeExpiry, expiryTime, ...others } =
    plainOptions(policy)
  refuseOthers(others)
  const times = { rotateAfter, rotateBeforeExpiry, notifyBeforeExpiry, expiryTime }
  for (const [name, value] of Object.entries(times))
    if (value !== undefined && !isDuration(value))
      throw wrongOption(name, 'a duration of ISO 8601 in days or longer, e.g. P90D', value)
  if (rotateAfter !== undefined && rotateBeforeExpiry !== undefined)
    throw configError('rotateAfter and rotateBeforeExpiry exclude each other: give one of them')
  return {
    lifetimeActions: [
      ...action('rotate', 'timeAfterCreate', rotateAfter),
      ...action('rotate', 'timeBeforeExpiry', rotateBeforeExpiry),
      ...action('notify', 'timeBeforeExpiry', notifyBeforeExpiry),
    ],
    attributes: expiryTime === undefined ? {} : { expiryTime },
  }
}

function action(type: string, trigger: string, time: string | undefined): readonly JsonObject[] {
  return time === undefined ? [] : [{ trigger: { [trigger]: time }, action: { type } }]
}

/** @throws KmsError `ERR_KMS_RESPONSE_INVALID` */
export function readPolicy(answer: JsonObject): AzureRotationPolicy {
  const policy: { -readonly [name in keyof AzureRotationPolicy]: AzureRotationPolicy[name] } = {}
  const actions = answer['lifetimeActions'] ?? []
  if (!Array.isArray(actions)) throw invalidAnswer('lifetimeActions must be a list')
  for (const one of actions as readonly (JsonObject | null)[]) {
    const { type } = (one?.['action'] ?? {}) as JsonObject
    const { timeAfterCreate, timeBeforeExpiry } = (one?.['trigger'] ?? {}) as JsonObject
    const rotates = String(type).toLowerCase() === 'rotate'
    if (rotates && isGiven(timeAfterCreate)) policy.rotateAfter = duration(timeAfterCreate)
    if (isGiven(timeBeforeExpiry))
      policy[rotates ? 'rotateBeforeExpiry' : 'notifyBeforeExpiry'] = duration(timeBeforeExpiry)
  }
  const { expiryTime } = (answer['attributes'] ?? {}) as JsonObject
  if (isGiven(expiryTime)) policy.expiryTime = duration(expiryTime)
  return policy
}

function duration(value: unknown): string {
  if (isDuration(value)) return value
  throw invalidAnswer('the times of the rotation policy must be durations')
}

function isDuration(value: unknown): value is string {
  return typeof value === 'string' && DURATION.test(value)
}

/** Azure writes what is not set as null. */
function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null
}
