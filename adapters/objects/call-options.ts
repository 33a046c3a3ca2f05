import {
  checkOptions,
  configError,
  demandSignal,
  describe,
  type OptionKinds,
  plainOptions,
  refuseOthers,
  wrongOption,
} from '../../src/checks/index.ts'
import { isEtag } from './etag.ts'
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
  checkCall(options, {
    onlyIf: 'object',
    customMetadata: 'object',
    plaintextBytes: 'number',
    signal: 'object',
    defer: 'object',
  })
}

/** @throws KmsError `ERR_KMS_CONFIG` */
export function checkGetOptions(options: GetObjectOptions): void {
  checkCall(options, { range: 'object', onlyIf: 'object', signal: 'object', defer: 'object' })
}

/** @throws KmsError `ERR_KMS_CONFIG` */
export function checkRewrapOptions(options: RewrapObjectOptions): void {
  checkCall(options, { verify: 'string', signal: 'object', defer: 'object' })
}

/** @throws KmsError `ERR_KMS_CONFIG` */
export function checkHeadOptions(options: Pick<ObjectCallSignal, 'signal'>): void {
  checkCall(options, { signal: 'object' })
}

function checkCall<T extends ObjectCallSignal>(options: T, kinds: OptionKinds<T>): void {
  for (const name in plainOptions(options)) {
    const refusal = Object.hasOwn(REFUSED, name) ? REFUSED[name] : undefined
    if (refusal !== undefined) throw configError(refusal)
  }
  checkOptions(options, kinds)
  if (options.signal !== undefined) demandSignal(options.signal)
}

/**
 * Checks a condition. Headers and dates, which R2 takes too, are refused: S3 has no dates on writes.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function checkCondition(onlyIf: ObjectCondition | undefined): ObjectCondition | undefined {
  if (onlyIf === undefined) return undefined
  // The entries of a Map or of Headers would be ignored, and the condition with them.
  const { etagMatches, etagDoesNotMatch, ...others } = plainOptions(onlyIf, 'onlyIf')
  refuseOthers(others)
  // `{ etagMatches: found?.etag }` of an object that was not found must not write without a condition.
  const hasMatch = 'etagMatches' in onlyIf
  const hasNoMatch = 'etagDoesNotMatch' in onlyIf
  if (hasMatch ? !isEtag(etagMatches) : !hasNoMatch)
    throw wrongOption('onlyIf.etagMatches', 'an ETag without quotes', etagMatches)
  // S3 knows the asterisk in If-None-Match alone.
  if (hasNoMatch && etagDoesNotMatch !== '*' && !isEtag(etagDoesNotMatch))
    throw wrongOption('onlyIf.etagDoesNotMatch', 'an ETag without quotes, or *', etagDoesNotMatch)
  return { etagMatches, etagDoesNotMatch }
}

/**
 * Refuses a range that makes no sense before any read. Returns a copy: the caller may change theirs during the reads.
 *
 * @throws RangeError
 * @throws KmsError `ERR_KMS_CONFIG` for an unknown name
 */
export function checkRange(range: ObjectRange): ObjectRange {
  const { offset, length, suffix, ...others } = plainOptions(range, 'range') as {
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
    return { suffix }
  }
  if (offset === undefined && length === undefined) {
    throw new RangeError('range must have offset, length or suffix')
  }
  if (offset !== undefined && !isFrom(0, offset)) throw wrong('offset', offset, 0)
  if (length !== undefined && !isFrom(1, length)) throw wrong('length', length, 1)
  return { offset, length } as ObjectRange
}

function isFrom(least: number, value: number): boolean {
  return Number.isSafeInteger(value) && value >= least
}
