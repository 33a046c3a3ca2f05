import { configError, wrongOption } from '../../checks/index.ts'
import { checkEndpoint, type EndpointRules } from '../../http/index.ts'

/**
 * Partitions: the prefix of their regions, their name, and their DNS suffixes, the second for
 * dual-stack endpoints. As AWS's own clients know them; the last row is for all other regions.
 */
const PARTITIONS = [
  ['cn-', 'aws-cn', 'amazonaws.com.cn', 'api.amazonwebservices.com.cn'],
  ['us-gov-', 'aws-us-gov', 'amazonaws.com', 'api.aws'],
  ['us-iso-', 'aws-iso', 'c2s.ic.gov', 'api.aws.ic.gov'],
  ['us-isob-', 'aws-iso-b', 'sc2s.sgov.gov', 'api.aws.scloud'],
  ['eu-isoe-', 'aws-iso-e', 'cloud.adc-e.uk', 'api.cloud-aws.adc-e.uk'],
  ['us-isof-', 'aws-iso-f', 'csp.hci.ic.gov', 'api.aws.hci.ic.gov'],
  ['eusc-', 'aws-eusc', 'amazonaws.eu', 'api.amazonwebservices.eu'],
  ['', 'aws', 'amazonaws.com', 'api.aws'],
] as const

const REGION = /^[a-z]{2,5}(?:-[a-z]{2,10}){1,3}-\d{1,2}$/

/** Options that decide a service's endpoint. */
export interface EndpointOptions extends EndpointRules {
  /** Replaces the region's own endpoint: a VPC endpoint, or a server for tests. https only. */
  readonly endpoint?: string | undefined
  readonly fips?: boolean | undefined
  readonly dualStack?: boolean | undefined
}

/** Returns the partition of a region, e.g. `aws-cn`. */
export function partitionOf(region: string): string {
  return rowOf(region)[1]
}

/**
 * Returns the endpoint of a service in a region: AWS's, or the configured one.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function awsEndpoint(service: string, region: string, options: EndpointOptions): string {
  const { endpoint, fips, dualStack } = options
  if (endpoint === undefined) {
    // In GovCloud (US) the usual hosts of STS are FIPS endpoints, and sts-fips does not exist.
    const isFips = service === 'sts' && region.startsWith('us-gov-') && !dualStack
    const name = fips === true && !isFips ? `${service}-fips` : service
    return `https://${name}.${region}.${rowOf(region)[dualStack ? 3 : 2]}`
  }
  if (fips || dualStack)
    throw configError('endpoint excludes fips and dualStack: give endpoint, or the flags')
  return checkEndpoint(endpoint, options)
}

/**
 * Checks the grammar of a region: it becomes part of a host name.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function checkRegion(region: string): string {
  if (typeof region === 'string' && REGION.test(region)) return region
  throw wrongOption('region', 'a Region such as eu-central-1', region)
}

function rowOf(region: string): (typeof PARTITIONS)[number] {
  return PARTITIONS.find(([prefix]) => region.startsWith(prefix)) as (typeof PARTITIONS)[number]
}
