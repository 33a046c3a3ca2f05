import { KmsError } from '../../errors.ts'

/** Region prefixes of the partitions that are not `aws`, with their DNS suffixes. */
const PARTITIONS: readonly {
  readonly prefix: string
  readonly name: string
  readonly suffix: string
  readonly dualStack: string
}[] = [
  {
    prefix: 'cn-',
    name: 'aws-cn',
    suffix: 'amazonaws.com.cn',
    dualStack: 'api.amazonwebservices.com.cn',
  },
  { prefix: 'us-gov-', name: 'aws-us-gov', suffix: 'amazonaws.com', dualStack: 'api.aws' },
  { prefix: 'us-iso-', name: 'aws-iso', suffix: 'c2s.ic.gov', dualStack: 'api.aws.ic.gov' },
  { prefix: 'us-isob-', name: 'aws-iso-b', suffix: 'sc2s.sgov.gov', dualStack: 'api.aws.scloud' },
  {
    prefix: 'eusc-',
    name: 'aws-eusc',
    suffix: 'amazonaws.eu',
    dualStack: 'api.amazonwebservices.eu',
  },
]
const STANDARD = { prefix: '', name: 'aws', suffix: 'amazonaws.com', dualStack: 'api.aws' }

/** Which variant of a regional endpoint is meant. */
export interface EndpointVariant {
  readonly fips?: boolean
  readonly dualStack?: boolean
}

/** The partition of a region, e.g. `aws-cn`. */
export function partitionOf(region: string): string {
  return rowOf(region).name
}

/** The vendor's endpoint of a service in a region. */
export function awsEndpoint(service: string, region: string, variant: EndpointVariant): string {
  const row = rowOf(region)
  const name = variant.fips === true ? `${service}-fips` : service
  return `https://${name}.${region}.${variant.dualStack === true ? row.dualStack : row.suffix}`
}

/**
 * Checks the grammar of a region: it becomes part of a host name.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function checkRegion(region: string): string {
  if (/^[a-z]{2,5}(?:-[a-z]{2,10}){1,3}-\d{1,2}$/.test(region)) return region
  throw new KmsError('ERR_KMS_CONFIG', { message: 'region is not an AWS region', provider: 'aws' })
}

function rowOf(region: string): typeof STANDARD {
  return PARTITIONS.find(({ prefix }) => region.startsWith(prefix)) ?? STANDARD
}
