/** The partitions of AWS, by the region's prefix. */
export function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn'
  if (region.startsWith('us-gov-')) return 'aws-us-gov'
  return 'aws'
}

/** The two services that the fake plays. */
export type Service = 'kms' | 'sts'

/** The service and region in a host name of AWS; other hosts have none. */
export interface HostFacts {
  readonly service: Service
  readonly region: string
}

/** Regional endpoints, FIPS and dual-stack ones, and the global endpoint of STS. */
const HOST =
  /^(kms|sts)(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|api\.aws|api\.amazonwebservices\.com\.cn)$/

/** @see https://docs.aws.amazon.com/general/latest/gr/kms.html */
export function hostFacts(hostname: string): HostFacts | undefined {
  if (hostname === 'sts.amazonaws.com') return { service: 'sts', region: 'us-east-1' }
  const match = HOST.exec(hostname)
  if (match === null) return undefined
  const [, service = '', region = ''] = match
  return { service: service as Service, region }
}

/** An ARN of KMS in its parts. */
export interface KmsArn {
  readonly region: string
  readonly accountId: string
  /** `key/…` or `alias/…` */
  readonly resource: string
}

/** Writes an ARN. */
export function kmsArn({ region, accountId, resource }: KmsArn): string {
  return `arn:${partitionOf(region)}:kms:${region}:${accountId}:${resource}`
}

/** The parts of an ARN of KMS, or `undefined` where the text is none. */
export function parseKmsArn(text: string): KmsArn | undefined {
  const match = /^arn:[a-z-]+:kms:([a-z0-9-]+):(\d{12}):((?:key|alias)\/[\w/-]+)$/.exec(text)
  if (match === null) return undefined
  const [, region = '', accountId = '', resource = ''] = match
  const parts = { region, accountId, resource }
  return kmsArn(parts) === text ? parts : undefined
}
