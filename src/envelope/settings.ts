import { configError, integer, oneOf, plainOptions, wrongOption } from '../checks/index.ts'
import type { DataKeySource, EnvelopeForm } from '../data-keys/index.ts'
import type { Network } from '../ports/index.ts'
import { webTimers } from '../runtime/index.ts'
import { LIMITS, type MessageKind, type ReadPolicy, WIRE_VERSION } from '../wire/index.ts'
import { demandOptions, sourceOf } from './key-source.ts'
import type { EnvelopeCipherOptions } from './options.ts'

/** The options of a cipher, checked and complete. */
export interface CipherSettings {
  readonly keys: DataKeySource
  readonly form: EnvelopeForm
  readonly acceptVersions: readonly number[]
  readonly maxRecordBytes: number
  /** Timers for what no source of data keys waits for. */
  readonly network: Pick<Network, 'after'>
}

/** @throws KmsError `ERR_KMS_CONFIG` */
export function cipherSettings(options: EnvelopeCipherOptions): CipherSettings {
  demandOptions(options)
  demandWebCrypto()
  const {
    form = 'inline',
    acceptVersions = [WIRE_VERSION],
    maxRecordBytes = LIMITS.defaultRecordBytes,
    ...others
  } = plainOptions(options)
  const settings = {
    keys: sourceOf(others),
    form: formOf(form),
    acceptVersions: versionsOf(acceptVersions),
    network: ('network' in others && others.network) || webTimers,
    maxRecordBytes: integer('maxRecordBytes', maxRecordBytes, 0, LIMITS.maxRecordBytes),
  }
  if (settings.form === 'reference' && !settings.keys.policy.references) {
    throw configError("form: 'reference' requires a dataKeyStore: give one")
  }
  return settings
}

/**
 * Browsers leave `crypto.subtle` out of pages without TLS: the error says so here, so that it does not look like an
 * outage.
 */
function demandWebCrypto(): void {
  const web: unknown = Reflect.get(globalThis, 'crypto')
  if (Reflect.get(Object(web) as object, 'subtle') !== undefined) return
  throw configError('crypto.subtle is missing: serve the page over https or from localhost')
}

function versionsOf(versions: readonly number[]): readonly number[] {
  const own: readonly unknown[] = Array.isArray(versions) ? [...(versions as unknown[])] : []
  if (own.length > 0 && own.every((version) => version === WIRE_VERSION)) return own
  throw wrongOption(
    'acceptVersions',
    `an array of supported versions: [${String(WIRE_VERSION)}]`,
    versions,
  )
}

const FORMS: readonly EnvelopeForm[] = ['inline', 'reference']

/** Returns the form of a call: a misspelt one must not pass for a reference that nobody stored. */
export function formOf(form: EnvelopeForm): EnvelopeForm {
  return oneOf('form', form, FORMS)
}

/** Returns the policy of one call. */
export function readPolicy(settings: CipherSettings, kinds: readonly MessageKind[]): ReadPolicy {
  const { keys, acceptVersions } = settings
  return { acceptVersions, acceptKinds: kinds, maxWraps: keys.policy.maxWraps }
}
