import { awsEndpoint, checkRegion } from '../../src/credentials/aws/index.ts'
import { wrongOption } from '../../src/checks/index.ts'
import { checkEndpoint } from '../../src/http/index.ts'
import { escapeAll, pathOfKey } from './object-key.ts'

/** The place of a bucket. */
export interface S3Place {
  /** 3 to 63 of a-z, 0-9, `.` and `-`. */
  readonly bucket: string
  /** Region of the bucket, e.g. `eu-central-1`; `auto` for R2's endpoint. */
  readonly region: string
  /**
   * Another server than AWS's: `https://<account>.r2.cloudflarestorage.com`, a MinIO, a VPC endpoint. https only. The
   * bucket's name is then part of the path, not of the host.
   */
  readonly endpoint?: string | undefined
  /** Plain http to a loopback address: for tests against a server on this machine. */
  readonly allowHttpLoopback?: boolean | undefined
  readonly dualStack?: boolean | undefined
  readonly fips?: boolean | undefined
}

/** A bucket's address, checked. */
export interface S3Address {
  readonly origin: string
  readonly region: string
  /** Returns the encoded path and query of a request; an empty value has nothing after its `=`. */
  path(key: string, query?: Readonly<Record<string, string>>): string
}

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/

/** @throws KmsError `ERR_KMS_CONFIG` */
export function s3Address(place: S3Place): S3Address {
  const { bucket, region, endpoint, allowHttpLoopback, dualStack, fips } = place
  if (typeof bucket !== 'string' || !BUCKET.test(bucket) || bucket.includes('..')) {
    throw wrongOption('bucket', '3 to 63 of a-z, 0-9, `.` and `-`', bucket)
  }
  const isOwn = endpoint !== undefined
  if (!(isOwn && region === 'auto')) checkRegion(region)
  const base = isOwn
    ? checkEndpoint(endpoint, { allowHttpLoopback })
    : awsEndpoint('s3', region, { dualStack, fips })
  if (isOwn && (dualStack === true || fips === true)) {
    throw wrongOption('endpoint', 'absent with dualStack or fips')
  }
  // A name with a dot is two labels of a host, for which AWS has no certificate.
  const inHost = !isOwn && !bucket.includes('.')
  const origin = inHost ? base.replace('https://', `https://${bucket}.`) : base
  const folder = inHost ? '' : `/${bucket}`
  return {
    origin,
    region,
    path: (key, query = {}) => `${folder}/${pathOfKey(key)}${queryOf(query)}`,
  }
}

function queryOf(query: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(query).map(([name, value]) => `${name}=${escapeAll(value)}`)
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`
}
