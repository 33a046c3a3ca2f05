/** Users, roles and keys that a target needs before its first scenario. */
import { audience, issuer, subject } from './web-identity.mjs'

const host = new URL(issuer).host

const allow = (...actions) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: actions, Resource: '*' }],
  })

const trust = (action, principal, condition = {}) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: action, Principal: principal, ...condition }],
  })

/**
 * The IAM calls, in order. The names of users and roles are all that a target needs to know.
 *
 * @returns {readonly Record<string, string>[]}
 */
export const iamCalls = (accountId) => [
  { Action: 'CreateUser', UserName: 'admin' },
  {
    Action: 'PutUserPolicy',
    UserName: 'admin',
    PolicyName: 'p',
    PolicyDocument: allow('kms:*', 'sts:*', 'iam:*', 'dynamodb:*', 's3:*'),
  },
  { Action: 'CreateAccessKey', UserName: 'admin' },
  { Action: 'CreateUser', UserName: 'encrypt-only' },
  {
    Action: 'PutUserPolicy',
    UserName: 'encrypt-only',
    PolicyName: 'p',
    PolicyDocument: allow('kms:Encrypt', 'kms:GenerateDataKey'),
  },
  { Action: 'CreateAccessKey', UserName: 'encrypt-only' },
  {
    Action: 'CreateRole',
    RoleName: 'app',
    // moto knows no narrower principal.
    AssumeRolePolicyDocument: trust('sts:AssumeRole', { AWS: '*' }),
  },
  { Action: 'PutRolePolicy', RoleName: 'app', PolicyName: 'p', PolicyDocument: allow('kms:*') },
  {
    Action: 'CreateOpenIDConnectProvider',
    Url: issuer,
    'ClientIDList.member.1': audience,
    'ThumbprintList.member.1': '0'.repeat(40),
  },
  {
    Action: 'CreateRole',
    RoleName: 'workload',
    AssumeRolePolicyDocument: trust(
      'sts:AssumeRoleWithWebIdentity',
      { Federated: `arn:aws:iam::${accountId}:oidc-provider/${host}` },
      { Condition: { StringEquals: { [`${host}:aud`]: audience, [`${host}:sub`]: subject } } },
    ),
  },
  {
    Action: 'PutRolePolicy',
    RoleName: 'workload',
    PolicyName: 'p',
    PolicyDocument: allow('kms:*'),
  },
]

/** Sends one IAM call whose signature nobody checks; the servers route by its scope. */
async function iam(endpoint, call) {
  const answer = await fetch(endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
      authorization:
        'AWS4-HMAC-SHA256 Credential=AKIASETUP/20200101/us-east-1/iam/aws4_request, ' +
        'SignedHeaders=host, Signature=0',
      'x-amz-date': '20200101T000000Z',
    },
    body: new URLSearchParams({ Version: '2010-05-08', ...call }),
  })
  const text = await answer.text()
  if (answer.ok) return text
  throw new Error(`${call.Action} answered ${answer.status}: ${text.slice(0, 500)}`)
}

const between = (text, tag) => new RegExp(`<${tag}>([^<]+)</${tag}>`).exec(text)?.[1] ?? ''

/** @returns the credentials of both users */
export async function setUpIam(endpoint, accountId) {
  const keys = []
  for (const call of iamCalls(accountId)) {
    const text = await iam(endpoint, call)
    if (call.Action !== 'CreateAccessKey') continue
    keys.push({
      accessKeyId: between(text, 'AccessKeyId'),
      secretAccessKey: between(text, 'SecretAccessKey'),
    })
  }
  const [credentials, encryptOnly] = keys
  return { credentials, encryptOnly }
}

/**
 * The keys that a provider's tests want, made by AWS's own client. `world` is aimed at the target.
 *
 * @param {import('./world.mjs').World} world
 */
export async function setUpKeys(world) {
  const { target } = world
  const key = await world.createKey()
  const other = await world.createKey()
  const disabled = await world.createKey()
  const pending = await world.createKey()
  const primary = await world.createKey({ MultiRegion: true })
  const signing = await world.createKey({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' })
  const replica = await world.kms('ReplicateKey', {
    KeyId: primary.KeyId,
    ReplicaRegion: target.otherRegion,
  })
  await world.kms('DisableKey', { KeyId: disabled.KeyId })
  await world.kms('ScheduleKeyDeletion', { KeyId: pending.KeyId, PendingWindowInDays: 7 })
  return {
    keyId: key.KeyId,
    keyArn: key.Arn,
    aliasName: await world.createAlias(key),
    otherKeyArn: other.Arn,
    disabledKeyArn: disabled.Arn,
    pendingDeletionKeyArn: pending.Arn,
    signingKeyArn: signing.Arn,
    primaryKeyArn: primary.Arn,
    replicaKeyArn: replica.ReplicaKeyMetadata.Arn,
    unknownKeyArn: `arn:aws:kms:${target.region}:${target.accountId}:key/11111111-2222-4333-8444-555555555555`,
  }
}
