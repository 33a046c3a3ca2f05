import type { Network } from '../../../src/ports/index.ts'
import type { FakeAwsCall } from './calls.ts'
import { type FakeClock, movableClock } from '../support/clock.ts'
import { surfaceOf } from '../support/fake-surface.ts'
import { createStoredKey } from './create-key.ts'
import { FakeAwsServer } from './fake-aws-server.ts'
import type { FakeAwsFaults } from './faults.ts'
import { GrantStore } from './grant-store.ts'
import { KeyStore } from './key-store.ts'
import type { FakeAwsAccessKey, FakeAwsKeyOptions, FakeAwsOptions } from './options.ts'
import { kmsArn } from './place.ts'
import { Principals } from './principals.ts'

/** A key that was made. */
export interface FakeAwsKey {
  readonly keyId: string
  readonly arn: string
}

/** AWS KMS and STS in one process: what {@link createFakeAws} makes. */
export interface FakeAws {
  /** Answers one request, for any region. Rejects if a scripted fault breaks the connection. */
  fetch(request: Request): Promise<Response>
  /** A `Network` whose every request ends here, whatever its URL; timers are real. */
  readonly network: Network
  readonly region: string
  readonly accountId: string
  /** The first access key. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
  readonly clock: FakeClock
  readonly faults: FakeAwsFaults
  /** Every request so far, in the order of arrival. */
  readonly calls: readonly FakeAwsCall[]
  /** How many requests there were, of one operation or of all. */
  count(operation?: string): number
  /** Forgets the calls so far; keys and sessions stay. */
  forgetCalls(): void
  /** Makes a key without a request. */
  createKey(options?: FakeAwsKeyOptions): FakeAwsKey
}

/** AWS's own example, which secret scanners know. */
const EXAMPLE_KEY: FakeAwsAccessKey = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
}

const REGIONS = ['us-east-1', 'us-west-2', 'eu-west-1', 'eu-central-1', 'ap-southeast-1']

/**
 * Returns AWS KMS and STS on the wire, for tests: real signatures, policies and encryption in memory, faults by
 * script, and no network. A plain fetch handler: call it, put it behind a server, or run it inside a Worker (there
 * make it inside the handler: random bytes are refused at the top level).
 *
 * Strict where other emulators are not: the encryption context, DryRun, key states, KeyId and
 * SourceKeyId, clocks, session tokens and web identity tokens. Of the key specs only
 * `SYMMETRIC_DEFAULT` works; a rotation, a replica and a grant are there at once, which takes AWS minutes.
 *
 * It evaluates identity policies (`policy`), `sharedWith`, and grants with their operations and constraints. It does
 * not evaluate key policies (it stores them and checks their form), tags as conditions, whether a grant's principal
 * exists, or quotas beyond tags and policies.
 *
 * @remarks Security: keys live in memory and in clear. Never put data under them that matters.
 *
 * @example
 * ```ts
 * import { EnvelopeCipher } from 'edge-kms'
 * import { createAwsKms } from 'edge-kms/aws-kms'
 * import { createFakeAws } from 'edge-kms/testing'
 *
 * export async function encryptsAgainAfterThrottling(): Promise<number> {
 *   const aws = createFakeAws({ keys: [{ alias: 'alias/app' }] })
 *   const { region, credentials, network } = aws
 *   const kms = createAwsKms({ keyId: 'alias/app', region, credentials, network })
 *   const cipher = new EnvelopeCipher({ kms })
 *   aws.faults.push({ operation: 'GenerateDataKey', kind: 'throttle' })
 *   await cipher.encryptText('hello').catch(() => cipher.encryptText('hello'))
 *   return aws.count('GenerateDataKey')
 * }
 * ```
 */
export function createFakeAws(options: FakeAwsOptions = {}): FakeAws {
  const { region = 'us-east-1', accountId = '111122223333', now = Date.now } = options
  const accessKeys = options.accessKeys ?? [EXAMPLE_KEY]
  const clock = movableClock(now)
  const keys = new KeyStore(() => clock.now())
  const principals = new Principals(accessKeys, options.roles ?? [], { accountId, region })
  const server = new FakeAwsServer({
    kms: {
      keys,
      regions: options.regions ?? [...new Set([region, ...REGIONS])],
      grants: new GrantStore(options.grants),
      defects: new Set(options.defects),
      now: () => clock.now(),
    },
    principals,
    identityProviders: options.identityProviders ?? [],
    clock,
  })
  const createKey = ({ alias, ...key }: FakeAwsKeyOptions = {}): FakeAwsKey => {
    const place = { region: key.region ?? region, accountId: key.accountId ?? accountId }
    const { arn, set } = keys.add(createStoredKey({ ...key, ...place, nowMs: clock.now() }))
    if (alias !== undefined) keys.setAlias(kmsArn({ ...place, resource: alias }), set.keyId)
    return { keyId: set.keyId, arn }
  }
  options.keys?.forEach(createKey)
  const { accessKeyId, secretAccessKey } = accessKeys[0] ?? EXAMPLE_KEY
  return Object.assign(surfaceOf(server, clock), {
    region,
    accountId,
    credentials: { accessKeyId, secretAccessKey },
    createKey,
  })
}
