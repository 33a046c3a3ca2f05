import { integer, oneOf, refuseOthers, wrongOption } from '../checks/index.ts'
import { CachedKms, type DataKeySource, type EnvelopeForm } from '../data-keys/index.ts'
import { LIMITS, type MessageKind, type ReadPolicy, WIRE_VERSION } from '../wire/index.ts'
import type { EnvelopeCipherOptions, KmsCipherOptions, SourceCipherOptions } from './options.ts'

/** The options of a cipher, checked and complete. */
export interface CipherSettings {
  readonly keys: DataKeySource
  readonly form: EnvelopeForm
  readonly acceptVersions: readonly number[]
  readonly maxRecordBytes: number
  /** Nonce and tag are more. */
  readonly maxRecordBodyBytes: number
}

/** @throws KmsError `ERR_KMS_CONFIG` */
export function cipherSettings(options: EnvelopeCipherOptions): CipherSettings {
  const {
    form = 'inline',
    acceptVersions = [WIRE_VERSION],
    maxRecordBytes = LIMITS.defaultRecordBytes,
    ...others
  } = options
  const versions = [...acceptVersions]
  if (versions.length === 0 || versions.some((version) => version !== WIRE_VERSION)) {
    throw wrongOption('acceptVersions')
  }
  const settings = {
    keys: sourceOf(others),
    form: formOf(form),
    acceptVersions: versions,
    maxRecordBytes: integer('maxRecordBytes', maxRecordBytes, 0, LIMITS.maxRecordBytes),
    maxRecordBodyBytes: maxRecordBytes + LIMITS.nonceBytes + LIMITS.tagBytes,
  }
  if (settings.form === 'reference' && !settings.keys.policy.references) {
    throw wrongOption('dataKeyStore')
  }
  return settings
}

function sourceOf({
  keys,
  runtime,
  ...others
}: Partial<KmsCipherOptions & SourceCipherOptions>): DataKeySource {
  if (keys !== undefined) {
    refuseOthers(others) // an option that is accepted and ignored is worse than an error
    return keys
  }
  const { cache = {}, ...rest } = others
  // Unknown options and a missing kms are refused there.
  const options = { runtime, ...rest } as KmsCipherOptions
  if (cache === false) return new CachedKms({ ...options, maxEntries: 0 })
  if (Object(cache) !== cache) throw wrongOption('cache', 'an object or false', cache)
  return new CachedKms({ ...options, ...cache })
}

const FORMS: readonly EnvelopeForm[] = ['inline', 'reference']

/** The form of a call: a misspelt one must not pass for a reference to what nobody stored. */
export function formOf(form: EnvelopeForm): EnvelopeForm {
  return oneOf('form', form, FORMS)
}

/** The policy of one call. */
export function readPolicy(settings: CipherSettings, kinds: readonly MessageKind[]): ReadPolicy {
  const { keys, acceptVersions } = settings
  return { acceptVersions, acceptKinds: kinds, maxWraps: keys.policy.maxWraps }
}
