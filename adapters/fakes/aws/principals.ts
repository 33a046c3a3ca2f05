import { encodeBase64 } from '../../../src/bytes/index.ts'
import type { FakeAwsAccessKey, FakeAwsPolicy, FakeAwsRole } from './options.ts'
import { partitionOf } from './place.ts'
import { randomBytes, randomText } from './primitives.ts'

/** The maker of a call. */
export interface Principal {
  readonly accountId: string
  readonly arn: string
  readonly userId: string
  readonly policy: FakeAwsPolicy
  /** Whether these are credentials of a role: roles that such a caller assumes are chained. */
  readonly isSession: boolean
}

/** Credentials that the server knows. */
export interface StoredCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  readonly expiresAtMs?: number
  readonly principal: Principal
}

/** Temporary credentials, as STS hands them out. */
export interface SessionCredentials extends StoredCredentials {
  readonly sessionToken: string
  readonly expiresAtMs: number
}

/** A role session to make. */
export interface SessionRequest {
  readonly role: FakeAwsRole
  readonly sessionName: string
  readonly expiresAtMs: number
}

/** Access keys of users and of role sessions. */
export class Principals {
  readonly #credentials = new Map<string, StoredCredentials>()
  readonly #roles: ReadonlyMap<string, FakeAwsRole>
  readonly #roleIds = new Map<string, string>()

  constructor(
    accessKeys: readonly FakeAwsAccessKey[],
    roles: readonly FakeAwsRole[],
    home: { readonly accountId: string; readonly region: string },
  ) {
    this.#roles = new Map(roles.map((role) => [role.arn, role]))
    for (const { accessKeyId, secretAccessKey, userName = 'app', ...key } of accessKeys) {
      const accountId = key.accountId ?? home.accountId
      this.#credentials.set(accessKeyId, {
        accessKeyId,
        secretAccessKey,
        principal: {
          accountId,
          arn: `arn:${partitionOf(home.region)}:iam::${accountId}:user/${userName}`,
          userId: `AIDA${randomText(17)}`,
          policy: key.policy ?? {},
          isSession: false,
        },
      })
    }
  }

  find(accessKeyId: string): StoredCredentials | undefined {
    return this.#credentials.get(accessKeyId)
  }

  role(arn: string): FakeAwsRole | undefined {
    return this.#roles.get(arn)
  }

  /** Credentials of a role session: https://docs.aws.amazon.com/STS/latest/APIReference/API_Credentials.html */
  startSession({ role, sessionName, expiresAtMs }: SessionRequest): SessionCredentials {
    const [, partition = '', , , accountId = '', resource = ''] = role.arn.split(':')
    const roleId = this.#roleIds.get(role.arn) ?? `AROA${randomText(17)}`
    this.#roleIds.set(role.arn, roleId)
    const credentials: SessionCredentials = {
      accessKeyId: `ASIA${randomText(16)}`,
      secretAccessKey: encodeBase64(randomBytes(30)),
      sessionToken: encodeBase64(randomBytes(200)),
      expiresAtMs,
      principal: {
        accountId,
        arn: `arn:${partition}:sts::${accountId}:assumed-role/${nameOf(resource)}/${sessionName}`,
        userId: `${roleId}:${sessionName}`,
        policy: role.policy ?? {},
        isSession: true,
      },
    }
    this.#credentials.set(credentials.accessKeyId, credentials)
    return credentials
  }
}

/** Returns whether a policy permits an action, e.g. `kms:Decrypt`. */
export function permits(policy: FakeAwsPolicy, action: string): boolean {
  const { allow = ['*'] } = policy
  return allow.some((pattern) => matches(pattern, action)) && !denies(policy, action)
}

/** Returns whether a policy denies an action: nothing else can then allow it, a grant neither. */
export function denies({ deny = [] }: FakeAwsPolicy, action: string): boolean {
  return deny.some((pattern) => matches(pattern, action))
}

/** `*` stands for any text; case does not count. IAM JSON policy elements: Action. */
function matches(pattern: string, action: string): boolean {
  const literal = pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')
  return new RegExp(`^${literal}$`, 'i').test(action)
}

/** The last part of `role/path/name`. */
function nameOf(resource: string): string {
  return resource.slice(resource.lastIndexOf('/') + 1)
}
