import { checkRegion, partitionOf } from '../../credentials/aws/index.ts'
import { optionError, wrongOption } from '../../checks/index.ts'

/** A key ARN in its parts. */
export interface KeyArn {
  readonly partition: string
  readonly region: string
  readonly account: string
  /** The key's own id: a UUID, or `mrk-` and 32 hex digits. */
  readonly key: string
}

/** A key, as the configuration names it: of an alias not its id, of a name not its account. */
export interface KeyFacts {
  readonly partition: string
  readonly region: string
  readonly account: string | undefined
  readonly key: string | undefined
}

const ARN = /^arn:(aws[a-z-]*):kms:([a-z0-9-]{5,32}):(\d{12}):(.+)$/
const KEY = /^(?:mrk-[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/
const FORMS = 'a key ARN, a key id or an alias'
const ALIAS = /^alias\/[\w/-]{1,250}$/

/** The parts of a key ARN, or `undefined` where the text is none. */
export function parseKeyArn(text: string): KeyArn | undefined {
  const [, partition = '', region = '', account = '', resource = ''] = ARN.exec(text) ?? []
  const key = resource.startsWith('key/') ? resource.slice(4) : ''
  return KEY.test(key) ? { partition, region, account, key } : undefined
}

/**
 * Checks a configured key against the grammar of AWS: key id, key ARN, alias name or alias ARN.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function configuredKey(keyId: string, given: string | undefined): KeyFacts {
  if (typeof keyId !== 'string') throw wrongOption('keyId', FORMS, keyId)
  const [, partition, ownRegion, account, resource = keyId] = ARN.exec(keyId) ?? []
  const key = parseKeyArn(keyId)?.key ?? (KEY.test(keyId) ? keyId : undefined)
  if (key === undefined && !ALIAS.test(resource)) throw optionError('keyId', `must be ${FORMS}`)
  if (given !== undefined) checkRegion(given)
  const region = ownRegion ?? given
  if (region === undefined)
    throw optionError('region', 'is missing: set it, or give keyId as an ARN')
  const own = partitionOf(checkRegion(region))
  if ((given ?? region) !== region || (partition ?? own) !== own)
    throw optionError('keyId', `is in ${region}, not ${given ?? own}: ${keyId}`)
  return { partition: own, region, account, key }
}
