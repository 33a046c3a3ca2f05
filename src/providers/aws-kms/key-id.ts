import { KmsError } from '../../errors.ts'
import { checkRegion, partitionOf } from '../../credentials/aws/index.ts'

/** A key ARN in its parts. */
export interface KeyArn {
  readonly partition: string
  readonly region: string
  readonly account: string
  /** The key's own id: a UUID, or `mrk-` and 32 hex digits. */
  readonly key: string
}

/** A configured key: what is known of it before the first call. */
export interface ConfiguredKey {
  /** What is sent as KeyId until the ARN is known. */
  readonly keyId: string
  readonly region: string
  readonly partition: string
  /** Known where the configuration says it: then nothing has to be resolved. */
  readonly arn?: string
  readonly key?: string
  readonly account?: string
}

const KEY = '(?:mrk-[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})'
const KEY_ID = new RegExp(`^${KEY}$`)
const KEY_ARN = new RegExp(`^arn:(aws[a-z-]*):kms:([a-z0-9-]{5,32}):(\\d{12}):key/(${KEY})$`)
const ALIAS = /^alias\/[\w/-]{1,250}$/
const ALIAS_ARN = /^arn:(aws[a-z-]*):kms:([a-z0-9-]{5,32}):(\d{12}):(alias\/[\w/-]{1,250})$/

/** The parts of a key ARN, or `undefined` where the text is none. */
export function parseKeyArn(text: string): KeyArn | undefined {
  const match = KEY_ARN.exec(text)
  if (match === null) return undefined
  const [, partition = '', region = '', account = '', key = ''] = match
  return { partition, region, account, key }
}

/** Whether a key is one of a set of multi-Region keys. */
export function isMultiRegion(arn: KeyArn): boolean {
  return arn.key.startsWith('mrk-')
}

/**
 * Checks a configured key against the grammar of AWS: key id, key ARN, alias name or alias ARN.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function configuredKey(keyId: string, region: string | undefined): ConfiguredKey {
  const arn = parseKeyArn(keyId)
  if (arn !== undefined) {
    return {
      keyId,
      ...placeOf(arn.region, region, arn.partition),
      arn: keyId,
      key: arn.key,
      account: arn.account,
    }
  }
  const alias = ALIAS_ARN.exec(keyId)
  if (alias !== null) {
    const [, partition = '', aliasRegion = '', account = ''] = alias
    return { keyId, ...placeOf(aliasRegion, region, partition), account }
  }
  if (!KEY_ID.test(keyId) && !ALIAS.test(keyId)) {
    throw config('keyId must be a key id, a key ARN, an alias name or an alias ARN')
  }
  if (region === undefined) throw config('region is missing: this keyId does not name it')
  const place = placeOf(region, undefined, partitionOf(region))
  return KEY_ID.test(keyId) ? { keyId, ...place, key: keyId } : { keyId, ...place }
}

function placeOf(
  region: string,
  given: string | undefined,
  partition: string,
): { readonly region: string; readonly partition: string } {
  checkRegion(region)
  if (given !== undefined && given !== region) throw config('region is not the region of the keyId')
  if (partition !== partitionOf(region))
    throw config('the partition of the keyId is not that of its region')
  return { region, partition }
}

function config(message: string): KmsError {
  return new KmsError('ERR_KMS_CONFIG', { message, provider: 'aws-kms' })
}
