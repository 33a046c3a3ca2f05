import {
  CachedKms,
  type DataKeySource,
  type EnvelopeForm,
  inRange,
  KmsDataKeys,
} from '../data-keys/index.ts'
import { KmsError } from '../errors.ts'
import type { KeyManagementService } from '../kms/index.ts'
import type { Runtime } from '../ports/index.ts'
import { webRuntime } from '../runtime/index.ts'
import { LIMITS, type MessageKind, type ReadPolicy, WIRE_VERSION } from '../wire/index.ts'
import type { EnvelopeCipherOptions, KmsCipherOptions, SourceCipherOptions } from './options.ts'

/** The options of a cipher, checked and complete. */
export interface CipherSettings {
  readonly keys: DataKeySource
  readonly runtime: Runtime
  readonly form: EnvelopeForm
  readonly acceptVersions: readonly number[]
  readonly maxRecordBytes: number
}

/** All that a cipher over a given source can honour. */
const CIPHER_OPTIONS = ['keys', 'form', 'acceptVersions', 'maxRecordBytes', 'runtime']

/** @throws KmsError `ERR_KMS_CONFIG` */
export function cipherSettings(options: EnvelopeCipherOptions): CipherSettings {
  const acceptVersions = [...(options.acceptVersions ?? [WIRE_VERSION])]
  if (acceptVersions.some((version) => version !== WIRE_VERSION)) {
    throw config('acceptVersions names an unknown version')
  }
  const settings = {
    keys: hasSource(options) ? givenSource(options) : ownSource(options),
    runtime: options.runtime ?? webRuntime,
    form: formOf(options.form ?? 'inline'),
    acceptVersions,
    maxRecordBytes: inRange(
      'maxRecordBytes',
      options.maxRecordBytes ?? LIMITS.defaultRecordBytes,
      0,
      LIMITS.maxRecordBytes,
    ),
  }
  if (settings.form === 'reference' && !settings.keys.policy.references) {
    throw config("form 'reference' needs a dataKeyStore")
  }
  return settings
}

/**
 * A choice that the types name, and that a caller without types can misspell.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function oneOf<T extends string>(name: string, value: T, choices: readonly T[]): T {
  if (choices.includes(value)) return value
  throw config(`${name} must be ${choices.join(' or ')}`)
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

function hasSource(options: EnvelopeCipherOptions): options is SourceCipherOptions {
  return (options as Partial<SourceCipherOptions>).keys !== undefined
}

function givenSource(options: SourceCipherOptions): DataKeySource {
  const given: Readonly<Record<string, unknown>> = { ...options }
  const ignored = Object.keys(given).find(
    (name) => given[name] !== undefined && !CIPHER_OPTIONS.includes(name),
  )
  // An option that is accepted and ignored is worse than an error.
  if (ignored !== undefined)
    throw config(`${ignored} belongs to the data-key source that is given as keys`)
  return options.keys
}

function ownSource(options: KmsCipherOptions): DataKeySource {
  const kms = options.kms as KeyManagementService | null | undefined
  if (typeof kms?.unwrapDataKey !== 'function') throw config('kms or keys is missing')
  const { cache } = options
  return cache === false ? new KmsDataKeys(options) : new CachedKms({ ...options, ...cache })
}

function config(message: string): KmsError {
  return new KmsError('ERR_KMS_CONFIG', { message })
}
