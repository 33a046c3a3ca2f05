import type { Caller } from './authenticate.ts'
import { Refusal } from './errors.ts'
import type { FakeAwsDefect, FakeAwsIdentityProvider, FakeAwsRole } from './options.ts'
import type { AnswerObject } from './answer.ts'
import { permits, type Principals, type SessionCredentials } from './principals.ts'
import { type SessionInput, sessionInput } from './sts-input.ts'
import { verifyWebIdentity, type WebIdentity } from './web-identity.ts'

/** One call to STS. */
export interface StsCall {
  readonly parameters: URLSearchParams
  readonly principals: Principals
  readonly identityProviders: readonly FakeAwsIdentityProvider[]
  readonly defects: ReadonlySet<FakeAwsDefect>
  readonly nowMs: number
}

/** An operation of STS that a signature proves. */
export type SignedStsOperation = (call: StsCall, caller: Caller) => AnswerObject

/** @see https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html */
const getCallerIdentity: SignedStsOperation = (_call, { principal }) => ({
  // "No permissions are required", and no policy can deny it.
  Arn: principal.arn,
  UserId: principal.userId,
  Account: principal.accountId,
})

/** @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
const assumeRole: SignedStsOperation = (call, { principal }) => {
  const input = sessionInput(call.parameters)
  const role = call.principals.role(input.roleArn)
  const denied = new Refusal(
    'accessDenied',
    `User: ${principal.arn} is not authorized to perform: sts:AssumeRole on resource: ${input.roleArn}`,
  )
  if (role === undefined || !permits(principal.policy, 'sts:AssumeRole')) throw denied
  const { principals = [], externalId } = role.trust
  const trusted = ['*', principal.accountId, principal.arn].some((one) => principals.includes(one))
  if (!trusted || (externalId !== undefined && externalId !== input.externalId)) throw denied
  checkDuration(role, input)
  // "Role chaining limits your session to a maximum of one hour."
  if (principal.isSession && input.durationSeconds > 3_600) {
    throw new Refusal(
      'validation',
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining',
    )
  }
  const session = startSession(call, role, input)
  return {
    ...answerOf(session),
    ...(input.sourceIdentity !== undefined && { SourceIdentity: input.sourceIdentity }),
  }
}

/** Operations by the name in `Action`. */
export const SIGNED_STS_OPERATIONS: ReadonlyMap<string, SignedStsOperation> = new Map([
  ['AssumeRole', assumeRole],
  ['GetCallerIdentity', getCallerIdentity],
])

/**
 * The operation that a token proves; whatever signature comes along is not looked at.
 *
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
 */
export async function assumeRoleWithWebIdentity(call: StsCall): Promise<AnswerObject> {
  const { parameters, principals, identityProviders, defects, nowMs } = call
  const input = sessionInput(parameters)
  const token = parameters.get('WebIdentityToken') ?? ''
  if (token.length < 4 || token.length > 20_000) {
    throw new Refusal('validation', `Value at 'webIdentityToken' failed to satisfy constraint.`)
  }
  const role = principals.role(input.roleArn)
  const blind = defects.has('accepts-any-web-identity')
  const identity = blind
    ? { issuer: 'https://anyone.example', subject: 'anyone', audience: 'anyone' }
    : await verifyWebIdentity(token, identityProviders, nowMs)
  if (role === undefined || !(blind || isTrusted(role, identity))) {
    throw new Refusal('accessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity')
  }
  checkDuration(role, input)
  return {
    ...answerOf(startSession(call, role, input)),
    SubjectFromWebIdentityToken: identity.subject,
    Audience: identity.audience,
    Provider: identity.issuer,
  }
}

/** The trust policy's condition. */
function isTrusted({ trust }: FakeAwsRole, identity: WebIdentity): boolean {
  const { webIdentity } = trust
  if (webIdentity?.issuer !== identity.issuer) return false
  const { audience = identity.audience, subject = identity.subject } = webIdentity
  return audience === identity.audience && subject === identity.subject
}

function checkDuration({ maxSessionSeconds = 3_600 }: FakeAwsRole, input: SessionInput): void {
  if (input.durationSeconds <= maxSessionSeconds) return
  throw new Refusal(
    'validation',
    'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
  )
}

function startSession(call: StsCall, role: FakeAwsRole, input: SessionInput): SessionCredentials {
  return call.principals.startSession({
    role,
    sessionName: input.sessionName,
    expiresAtMs: call.nowMs + input.durationSeconds * 1_000,
  })
}

function answerOf(session: SessionCredentials): AnswerObject {
  const { accessKeyId, secretAccessKey, sessionToken, expiresAtMs, principal } = session
  return {
    Credentials: {
      AccessKeyId: accessKeyId,
      SecretAccessKey: secretAccessKey,
      SessionToken: sessionToken,
      // Whole seconds, in both forms.
      Expiration: new Date(Math.floor(expiresAtMs / 1_000) * 1_000),
    },
    AssumedRoleUser: { AssumedRoleId: principal.userId, Arn: principal.arn },
  }
}
