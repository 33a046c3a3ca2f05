import type { KekVersion } from '../kms/index.ts'

/** Default quota and price of a vendor for requests on data keys. Your account may have other numbers. */
export interface VendorTerms {
  readonly provider: string
  /** When the vendor's pages were read. */
  readonly asOf: string
  /** Requests each second. Absent: unlimited, because you run the server. */
  readonly requestsPerSecond?: number
  /** US dollars for 10,000 requests, without free tiers. */
  readonly usdPer10k: number
  /** A description of what the numbers are for. */
  readonly note: string
  /** The vendor's pages with these numbers. */
  readonly pages: readonly string[]
}

const AS_OF = '2026-11-30'
const AWS_PAGES = [
  'https://docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html',
  'https://aws.amazon.com/kms/pricing/',
] as const

/** Quotas and prices of each vendor: the one place, with the date on which its pages were read. */
export const VENDOR_TERMS: readonly VendorTerms[] = [
  {
    provider: 'aws-kms',
    asOf: AS_OF,
    requestsPerSecond: 10_000,
    usdPer10k: 0.03,
    note: 'symmetric keys, one account and region; encrypting, decrypting and rewrapping share the quota',
    pages: AWS_PAGES,
  },
  {
    provider: 'gcp-kms',
    asOf: AS_OF,
    requestsPerSecond: 1_000,
    usdPer10k: 0.03,
    note: 'software keys: 60,000 cryptographic requests a minute, enforced by the second',
    pages: ['https://cloud.google.com/kms/quotas', 'https://cloud.google.com/kms/pricing'],
  },
  {
    provider: 'azure-key-vault',
    asOf: AS_OF,
    requestsPerSecond: 200,
    usdPer10k: 0.03,
    note: 'RSA keys of 2,048 bits in an HSM: 2,000 in 10 s for one vault; software keys 4,000, RSA 4,096 in an HSM 250',
    pages: [
      'https://learn.microsoft.com/azure/key-vault/general/service-limits',
      'https://azure.microsoft.com/pricing/details/key-vault/',
    ],
  },
  {
    provider: 'vault-transit',
    asOf: AS_OF,
    usdPer10k: 0,
    note: 'your own server: set rate.requestsPerSecond to the rate that it can sustain',
    pages: ['https://openbao.org/docs/secrets/transit/'],
  },
  {
    provider: 'local',
    asOf: AS_OF,
    usdPer10k: 0,
    note: 'the key is in this process',
    pages: [],
  },
]

/** Regions of AWS with a higher quota for symmetric keys. */
const AWS_REGIONS: Readonly<Record<string, number>> = {
  'us-east-1': 100_000,
  'us-west-2': 100_000,
  'eu-west-1': 100_000,
  'us-east-2': 20_000,
  'ap-southeast-1': 20_000,
  'ap-southeast-2': 20_000,
  'ap-northeast-1': 20_000,
  'eu-central-1': 20_000,
  'eu-west-2': 20_000,
}

/** Returns the terms of a KEK's vendor; `undefined` if the table does not have the vendor. */
export function termsOf({ provider, kekId }: KekVersion): VendorTerms | undefined {
  const terms = VENDOR_TERMS.find((one) => one.provider === provider)
  if (terms === undefined || provider !== 'aws-kms') return terms
  const perSecond = AWS_REGIONS[kekId.split(':')[3] ?? '']
  return perSecond === undefined ? terms : { ...terms, requestsPerSecond: perSecond }
}

/** Returns the requests each second that these KEKs allow together; Infinity where no vendor has a quota. */
export function quotaOf(keks: readonly KekVersion[]): number {
  return Math.min(Infinity, ...keks.map((kek) => termsOf(kek)?.requestsPerSecond ?? Infinity))
}
