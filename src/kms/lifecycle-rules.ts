import { KmsError } from '../errors.ts'
import type { KeyVersionState } from './key-lifecycle.ts'
import type { KekVersion } from './wrapped-key.ts'

/** The KEK of a lifecycle. */
type Kek = Pick<KekVersion, 'provider' | 'kekId'>

/**
 * Refuses a version of any KEK but the configured one. The id of a version comes from a census, so from envelopes,
 * which an attacker may have written: it must not choose the key.
 *
 * @throws KmsError `ERR_KMS_UNSUPPORTED`
 */
export function demandOwnKek({ provider, kekId }: Kek, version: KekVersion): void {
  if (version.provider === provider && version.kekId === kekId) return
  const says = `the lifecycle is of ${provider} ${kekId} alone, got another KEK`
  throw unsupportedStep(provider, `${says}: make a lifecycle for it`)
}

/**
 * Refuses a step that must come after another one: a version is disabled before it is destroyed.
 *
 * @param fix - what to do instead, e.g. `disable it first`
 * @throws KmsError `ERR_KMS_UNSUPPORTED`
 */
export function demandState(
  provider: string,
  state: KeyVersionState,
  allowed: readonly KeyVersionState[],
  fix: string,
): void {
  if (allowed.includes(state)) return
  throw unsupportedStep(provider, `the version is ${state}, not ${allowed.join(' or ')}: ${fix}`)
}

/** Returns the error of a step that a vendor cannot make, or not now. */
export function unsupportedStep(provider: string, message: string): KmsError {
  return new KmsError('ERR_KMS_UNSUPPORTED', { provider, message })
}

/** Advice for an enabled version that a caller wants to destroy. */
export const DISABLE_FIRST = 'disable it first, and wait until you are sure that it is unused'
/** Advice for a version that a caller wants to enable while its destruction is scheduled. */
export const CANCEL_FIRST = 'cancel the destruction first'
/** Advice for a version whose destruction a caller wants to cancel, while none is scheduled. */
export const NOT_SCHEDULED = 'its destruction was not scheduled, so nothing can be cancelled'
