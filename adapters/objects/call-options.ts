import {
  checkOptions,
  configError,
  describe,
  refuseOthers,
  wrongOption,
} from '../../src/checks/index.ts'
import type { ObjectCondition } from './object-store.ts'
import type {
  GetObjectOptions,
  ObjectCallSignal,
  ObjectRange,
  PutObjectOptions,
  RewrapObjectOptions,
} from './object-types.ts'

/** Options of R2 that cannot be had here, and what to do. */
const REFUSED: Readonly<Record<string, string>> = {
  httpMetadata:
    'httpMetadata is not supported: put it into customMetadata, which is bound to the object',
  ssecKey: 'ssecKey is not supported: the object is encrypted already',
}

/** @throws KmsError `ERR_KMS_CONFIG` for an unknown option: it would be ignored */
export function checkPutOptions(options: PutObjectOptions): void {
  refuseOfR2(options)
  checkOptions(options, {
    onlyIf: 'object',
    customMetadata: 'object',
    plaintextBytes: 'number',
    signal: 'object',
    defer: 'object',
  })
}

/** @throws KmsError `ERR_KMS_CONFIG` */
export function checkGetOptions(options: GetObjectOptions): void {
  refuseOfR2(options)
  checkOptions(options, { range: 'object', onlyIf: 'object', signal: 'object', defer: 'object' })
}

/** @throws KmsError `ERR_KMS_CONFIG` */
export function checkRewrapOptions(options: RewrapObjectOptions): void {
  checkOptions(options, { verify: 'string', signal: 'object', defer: 'object' })
}

/** @throws KmsError `ERR_KMS_CONFIG` */
export function checkHeadOptions(options: Pick<ObjectCallSignal, 'signal'>): void {
  checkOptions(options, { signal: 'object' })
}

function refuseOfR2(options: object): void {
  for (const name in REFUSED) if (name in options) throw configError(REFUSED[name] ?? name)
}

/**
 * Checks a condition. Headers and dates, which R2 takes too, are refused: S3 has no dates on writes.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function checkCondition(onlyIf: ObjectCondition | undefined): ObjectCondition | undefined {
  if (onlyIf === undefined) return undefined
  if (typeof Headers === 'function' && onlyIf instanceof Headers) {
    throw wrongOption('onlyIf', 'an object with etagMatches or etagDoesNotMatch')
  }
  const { etagMatches, etagDoesNotMatch, ...others } = onlyIf
  refuseOthers(others)
  for (const [name, etag] of Object.entries({ etagMatches, etagDoesNotMatch })) {
    // A quote or a line break would end the header.
    if (
      etag !== undefined &&
      (typeof etag !== 'string' || !/^[\x21\x23-\x7e]{1,256}$/.test(etag))
    ) {
      throw wrongOption(`onlyIf.${name}`, 'an ETag without quotes', etag)
    }
  }
  // S3 knows the asterisk in If-None-Match alone.
  if (etagMatches === '*')
    throw wrongOption('onlyIf.etagMatches', 'an ETag: * is for etagDoesNotMatch')
  if (etagMatches === undefined && etagDoesNotMatch === undefined) return undefined
  return { etagMatches, etagDoesNotMatch }
}

/**
 * Refuses a range that makes no sense before any read.
 *
 * @throws RangeError
 * @throws KmsError `ERR_KMS_CONFIG` for an unknown name
 */
export function checkRange(range: ObjectRange): void {
  const { offset, length, suffix, ...others } = range as {
    readonly offset?: number
    readonly length?: number
    readonly suffix?: number
  }
  refuseOthers(others)
  const wrong = (name: string, value: unknown, least: number): RangeError =>
    new RangeError(`range.${name} must be an integer from ${String(least)}, got ${describe(value)}`)
  if (suffix !== undefined) {
    if (offset !== undefined || length !== undefined) {
      throw new RangeError('range.suffix excludes offset and length')
    }
    if (!isFrom(1, suffix)) throw wrong('suffix', suffix, 1)
    return
  }
  if (offset === undefined && length === undefined) {
    throw new RangeError('range must have offset, length or suffix')
  }
  if (offset !== undefined && !isFrom(0, offset)) throw wrong('offset', offset, 0)
  if (length !== undefined && !isFrom(1, length)) throw wrong('length', length, 1)
}

function isFrom(least: number, value: number): boolean {
  return Number.isSafeInteger(value) && value >= least
}
