import { configError, plainOptions, unknownOption, wrongOption } from '../checks/index.ts'
import { CachedKms, type DataKeySource, type KmsCacheConfig } from '../data-keys/index.ts'
import type { KeyManagementService } from '../kms/index.ts'
import type { Network } from '../ports/index.ts'
import type { KmsCipherOptions, SourceCipherOptions } from './options.ts'

type SourceOptions = Partial<KmsCipherOptions & SourceCipherOptions>

/** Refuses a KMS or a source of data keys that is passed instead of the options. */
export function demandOptions(options: unknown): void {
  if (Object(options) !== options)
    throw wrongOption('options', 'an object such as { kms }', options)
  refuseMisplaced(options, options)
}

/**
 * Returns the source of data keys: the caller's, or one of our own over the caller's KMS.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function sourceOf({ keys, runtime, ...others }: SourceOptions): DataKeySource {
  refuseMisplaced(keys, others.kms)
  if (keys !== undefined) return givenSource(keys, others)
  const { cache = {}, ...rest } = others
  // It refuses unknown options and a missing kms.
  const own = { runtime, ...rest } as KmsCipherOptions
  if (cache === false) return new CachedKms({ ...own, maxEntries: 0 })
  return new CachedKms({ ...own, ...cacheOptions(cache, own.network) })
}

const CACHE_OPTIONS: ReadonlySet<string> = new Set([
  'ttlMs',
  'maxEntries',
  'network',
  'refreshAheadMs',
  'maxStaleMs',
  'maxStaleWriteMs',
  'shared',
])

/** Refuses an option inside `cache` that belongs beside it: it would replace the outer one, or switch it off. */
function cacheOptions(cache: KmsCacheConfig, usual: Network | undefined): KmsCacheConfig {
  for (const name of Object.keys(plainOptions(cache, 'cache'))) {
    if (!CACHE_OPTIONS.has(name)) throw unknownOption(`cache.${name}`)
  }
  const { network = usual, ...others } = cache
  return { ...others, ...(network && { network }) }
}

/** An option that is accepted and ignored is worse than an error. */
function givenSource(keys: DataKeySource, others: SourceOptions): DataKeySource {
  if (!isSource(keys)) throw wrongOption('keys', 'a DataKeySource such as CachedKms', keys)
  for (const [name, value] of Object.entries<unknown>(others)) {
    if (value !== undefined) {
      throw configError(`unknown option beside keys: ${name}; the data-key source has its own`)
    }
  }
  return keys
}

/** @param notKms - must not be a KMS; the other one must not be a source */
function refuseMisplaced(notKms: unknown, notSource: unknown): void {
  if (isKms(notKms)) throw configError('pass a KMS as new EnvelopeCipher({ kms })')
  if (isSource(notSource) && !isKms(notSource)) {
    throw configError('pass a data-key source such as CachedKms as new EnvelopeCipher({ keys })')
  }
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
