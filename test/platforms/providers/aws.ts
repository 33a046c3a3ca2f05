import type { Library, RuntimeCase } from '../../runtime/suite.ts'
import { check, cipherCases, codeOf, contractOf, type Deviations, type Kms } from './shared.ts'

/** The address of AWS KMS, and keys for these cases alone. */
export interface AwsTarget {
  /** `moto`, `localstack`, `fake` or `live`. */
  readonly name: string
  /** Absent: AWS itself. */
  readonly endpoint?: string
  readonly region: string
  readonly credentials: {
    readonly accessKeyId: string
    readonly secretAccessKey: string
    readonly sessionToken?: string
  }
  readonly keyArn: string
  readonly otherKeyArn: string
  /** An alias of the first key. */
  readonly aliasName?: string
}

const CONCATENATES = 'joins keys and values of the context without a separator'
const DEVIATIONS: Readonly<Record<string, Deviations>> = {
  moto: { 'refuses a wrap under a changed context': CONCATENATES },
  localstack: { 'refuses a wrap under a changed context': CONCATENATES },
}
/** A policy that names keys may not say whether another one exists. */
const UNKNOWN = ['ERR_KMS_KEY_NOT_FOUND', 'ERR_KMS_ACCESS_DENIED']

/** Returns the cases of `aws-kms` against a server. */
export function awsCases(library: Library, target: AwsTarget): readonly RuntimeCase[] {
  const { aws, testing } = library
  const { region, credentials, endpoint, keyArn, otherKeyArn, aliasName } = target
  const create = (keyId: string): Kms =>
    aws.createAwsKms({
      keyId,
      region,
      credentials,
      timeoutMs: 10_000,
      ...(endpoint !== undefined && { endpoint, allowHttpLoopback: true }),
    })
  const ours = (): Kms => create(keyArn)
  const subject = { create: ours, createOther: () => create(otherKeyArn) }
  const contract = testing.kmsContract(ours().capabilities, subject)
  return [
    ...contractOf(contract, 'contract', DEVIATIONS[target.name]),
    ...cipherCases(library, ours),
    {
      name: 'an alias is resolved and pinned',
      ...(aliasName === undefined && { skip: 'no alias was given' }),
      run: async () => {
        const { wraps } = await create(aliasName ?? '').generateDataKey({ context: {} })
        check(wraps[0]?.kekId === keyArn, String(wraps[0]?.kekId))
        await ours().unwrapDataKey(wraps, { context: {} })
      },
    },
    {
      name: 'a key that does not exist is a typed error',
      run: async () => {
        const unknown = keyArn.replace(/[^/]+$/, '11111111-2222-4333-8444-555555555555')
        const code = await codeOf(library, create(unknown).generateDataKey({ context: {} }))
        check(UNKNOWN.includes(code), code)
      },
    },
  ]
}
