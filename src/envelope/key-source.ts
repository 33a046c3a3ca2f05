import { configError, refuseOthers, wrongOption } from '../checks/index.ts'
import { type DataKeySource, KmsDataKeys, MemoryKms } from '../data-keys/index.ts'
import type { KeyManagementService } from '../kms/index.ts'
import type { KmsCipherOptions, SourceCipherOptions } from './options.ts'

type SourceOptions = Partial<KmsCipherOptions & SourceCipherOptions>

/** Refuses a KMS or a source that is passed in the place of the options. */
export function demandOptions(options: unknown): void {
  if (typeof options !== 'object' || options === null) {
    throw wrongOption('options', 'an object such as { kms }', options)
  }
  if (isKms(options)) throw configError('pass the KMS as an option: new EnvelopeCipher({ kms })')
  if (isSource(options)) {
    throw configError('pass the data-key source as an option: new EnvelopeCipher({ keys })')
  }
}

/**
 * Returns the source of data keys: the caller's, or one of our own over the caller's KMS.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function sourceOf(options: SourceOptions): DataKeySource {
  const { keys, runtime, ...others } = options
  if (keys !== undefined) return givenSource(keys, others)
  const { cache = {}, kms, ...rest } = others
  if (isSource(kms) && !isKms(kms)) {
    throw configError('kms is a data-key source such as CachedKms: pass it as { keys }')
  }
  // It refuses unknown options and a missing kms.
  const own = { kms, runtime, ...rest } as KmsCipherOptions
  if (cache === false) return new KmsDataKeys(own)
  if (Object(cache) !== cache) throw wrongOption('cache', 'an object or false', cache)
  return new MemoryKms({ ...own, ...cache })
}

/** The options of a cipher over its own source that belong to the source instead. */
const SOURCE_OPTIONS: ReadonlySet<string> = new Set<keyof KmsCipherOptions>([
  'cache',
  'requiredContextKeys',
  'maxWraps',
  'dataKeyStore',
  'encryptForMs',
  'maxMessages',
])

/** An option that is accepted and ignored is worse than an error. */
function givenSource(keys: unknown, others: SourceOptions): DataKeySource {
  if (isKms(keys)) throw configError('keys is a KMS: pass it as { kms }')
  if (!isSource(keys)) throw wrongOption('keys', 'a DataKeySource such as CachedKms', keys)
  for (const [name, value] of Object.entries<unknown>(others)) {
    if (value === undefined) continue
    if (name === 'kms') throw configError('pass either kms or keys, not both')
    if (SOURCE_OPTIONS.has(name)) {
      throw configError(`${name} belongs to the data-key source: set it there, not beside keys`)
    }
  }
  refuseOthers(others)
  return keys
}

function isKms(value: unknown): value is KeyManagementService {
  return hasMethod(value, 'unwrapDataKey')
}

function isSource(value: unknown): value is DataKeySource {
  return hasMethod(value, 'openMany')
}

function hasMethod(value: unknown, name: string): boolean {
  return typeof (value as Record<string, unknown> | null | undefined)?.[name] === 'function'
}
