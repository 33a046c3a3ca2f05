import { decodeBase64, decodeBase64Url, decodeUtf8 } from '../../../src/bytes/index.ts'
import { type JsonObject, parseJsonObject } from '../../../src/http/index.ts'
import { Refusal as AwsRefusal } from '../aws/errors.ts'
import { verifyWebIdentity, type WebIdentity } from '../aws/web-identity.ts'
import { textOf } from './input.ts'
import type { FakeVaultIssuer, FakeVaultOptions, FakeVaultTokenOptions } from './options.ts'
import { denied, Refusal } from './refusal.ts'

/** One login. */
export interface LoginCall {
  readonly options: FakeVaultOptions
  readonly input: JsonObject
  readonly nowMs: number
}

/** Returns what the token of a login gets. @throws Refusal */
export type Login = (call: LoginCall) => Promise<FakeVaultTokenOptions>

/** @see https://openbao.org/api-docs/auth/approle/#login-with-approle */
const appRole: Login = async ({ options, input }) => {
  const [roleId, secretId] = [textOf(input, 'role_id'), textOf(input, 'secret_id')]
  if (roleId === '') throw new Refusal(500, 'missing role_id')
  const role = options.appRoles?.find((one) => one.roleId === roleId)
  if (role === undefined) throw new Refusal(400, 'invalid role or secret ID')
  const blind = options.defects?.includes('accepts-any-secret-id') === true
  if (role.secretIds === undefined || blind) return Promise.resolve(role)
  if (secretId === '') throw new Refusal(400, 'missing secret_id')
  if (!role.secretIds.includes(secretId)) throw new Refusal(400, 'invalid role or secret ID')
  return role
}

/** @see https://openbao.org/api-docs/auth/jwt/#jwt-login */
const jwt: Login = async ({ options, input, nowMs }) => {
  const { issuer, roles } = options.jwt ?? { issuer: NOBODY, roles: [] }
  const name = textOf(input, 'role')
  const role = roles.find((one) => one.name === name)
  if (name === '') throw new Refusal(400, 'missing role')
  if (role === undefined) throw new Refusal(400, `role "${name}" could not be found`)
  if (options.defects?.includes('accepts-any-jwt') === true) return role
  const identity = await verified(input, issuer, role.audience, nowMs)
  if (identity === undefined)
    throw new Refusal(400, 'error validating token: error verifying token signature or claims')
  if (role.subject !== undefined && role.subject !== identity.subject)
    throw new Refusal(400, 'error validating token: invalid subject (sub) claim')
  return role
}

/** Vault has the cluster review the token; what that refuses is 403. */
const kubernetes: Login = async ({ options, input, nowMs }) => {
  const { issuer, roles } = options.kubernetes ?? { issuer: NOBODY, roles: [] }
  const name = textOf(input, 'role')
  if (name === '') throw new Refusal(400, 'missing role')
  if (textOf(input, 'jwt') === '') throw new Refusal(400, 'missing jwt')
  const role = roles.find((one) => one.name === name)
  if (role === undefined) throw new Refusal(400, `invalid role name "${name}"`)
  if (options.defects?.includes('accepts-any-jwt') === true) return role
  // Vault reads the token's own claims first, then it asks the cluster.
  if (accountOf(textOf(input, 'jwt')) !== role.serviceAccount)
    throw new Refusal(403, 'service account name not authorized')
  const identity = await verified(input, issuer, undefined, nowMs)
  if (identity?.subject !== `system:serviceaccount:${role.serviceAccount}`) throw denied()
  return role
}

/** `namespace:name` of a projected service-account token, not verified. */
function accountOf(jwt: string): string {
  const bytes = decodeBase64Url(jwt.split('.')[1] ?? '')
  const claims = bytes === undefined ? undefined : parseJsonObject(bytes)
  const { namespace, serviceaccount } = (claims?.['kubernetes.io'] ?? {}) as JsonObject
  return `${String(namespace)}:${String((serviceaccount as JsonObject | undefined)?.['name'])}`
}

/** Vault sends the signed request on, and believes what STS answers. */
const aws: Login = async ({ options, input }) => {
  const settings = options.aws
  const name = textOf(input, 'role')
  const role = settings?.roles.find((one) => one.name === name)
  if (role === undefined || settings === undefined)
    throw new Refusal(400, `entry for role "${name}" not found`)
  const text = (member: string): string => {
    const bytes = decodeBase64(textOf(input, member))
    if (bytes === undefined || bytes.length === 0) throw new Refusal(400, `missing ${member}`)
    return decodeUtf8(bytes) ?? ''
  }
  const headers = new Headers(JSON.parse(text('iam_request_headers')) as Record<string, string>)
  const signed = /SignedHeaders=([^,]*)/.exec(headers.get('authorization') ?? '')?.[1]?.split(';')
  const named = headers.get('x-vault-aws-iam-server-id')
  const isFor =
    named === settings.serverId && signed?.includes('x-vault-aws-iam-server-id') === true
  if (settings.serverId !== undefined && !isFor)
    throw new Refusal(400, 'error validating X-Vault-AWS-IAM-Server-ID header')
  const body = text('iam_request_body')
  const url = text('iam_request_url')
  if (new URLSearchParams(body).get('Action') !== 'GetCallerIdentity')
    throw new Refusal(400, 'invalid value of iam_request_body')
  const answer = await settings.sts(new Request(url, { method: 'POST', headers, body }))
  const arn = /<Arn>([^<]*)<|"Arn":"([^"]*)"/.exec(await answer.text())
  if (answer.status !== 200 || arn === null)
    throw new Refusal(400, 'error making upstream request: received error code from STS')
  if ((arn[1] ?? arn[2]) !== role.principalArn)
    throw new Refusal(400, 'IAM Principal does not belong to the role')
  return role
}

const LOGINS: ReadonlyMap<string, Login> = new Map([
  ['approle', appRole],
  ['aws', aws],
  ['jwt', jwt],
  ['kubernetes', kubernetes],
])

const NOBODY: FakeVaultIssuer = { issuer: '', keys: [] }

/** The login of the method that is mounted here. */
export function loginAt(mount: string): Login | undefined {
  return LOGINS.get(mount)
}

async function verified(
  input: JsonObject,
  { issuer, keys }: FakeVaultIssuer,
  audience: string | undefined,
  nowMs: number,
): Promise<WebIdentity | undefined> {
  const audiences = audience === undefined ? [issuer, 'vault'] : [audience]
  try {
    return await verifyWebIdentity(textOf(input, 'jwt'), [{ issuer, keys, audiences }], nowMs)
  } catch (error) {
    if (error instanceof AwsRefusal) return undefined
    throw error
  }
}
