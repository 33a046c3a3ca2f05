/** Our own fake of AWS behind a loopback port, as one more target for the official client. */
import { openFront } from '../../../tools/servers/front.mjs'
import { audience, createIssuer, issuer, subject } from './web-identity.mjs'

const region = 'us-east-1'
const otherRegion = 'eu-west-1'
const accountId = '111122223333'
const hourMs = 3_600_000

const credentials = { accessKeyId: 'AKIAADMINADMINADMIN1', secretAccessKey: 'not-a-secret-admin' }
const encryptOnly = { accessKeyId: 'AKIAENCRYPTENCRYPT12', secretAccessKey: 'not-a-secret-encrypt' }
const roleArn = `arn:aws:iam::${accountId}:role/app`
const webIdentityRoleArn = `arn:aws:iam::${accountId}:role/workload`

const optionsOf = (jwk, now, defects) => ({
  region,
  accountId,
  accessKeys: [
    { ...credentials, userName: 'admin' },
    {
      ...encryptOnly,
      userName: 'encrypt-only',
      policy: { allow: ['kms:Encrypt', 'kms:GenerateDataKey'] },
    },
  ],
  roles: [
    { arn: roleArn, trust: { principals: [accountId] }, policy: { allow: ['kms:*'] } },
    {
      arn: webIdentityRoleArn,
      trust: { webIdentity: { issuer, audience, subject } },
      policy: { allow: ['kms:*'] },
    },
  ],
  identityProviders: [{ issuer, audiences: [audience], keys: [jwk] }],
  now,
  defects,
})

/** Credentials of a session that began two hours ago and lasted one. */
async function oldSession(sdk, endpoint) {
  const client = new sdk.sts.STSClient({
    region,
    endpoint,
    credentials,
    maxAttempts: 1,
    systemClockOffset: -2 * hourMs,
  })
  try {
    const input = { RoleArn: roleArn, RoleSessionName: 'old', DurationSeconds: 3600 }
    const { Credentials } = await client.send(new sdk.sts.AssumeRoleCommand(input))
    return {
      accessKeyId: Credentials.AccessKeyId,
      secretAccessKey: Credentials.SecretAccessKey,
      sessionToken: Credentials.SessionToken,
    }
  } finally {
    client.destroy()
  }
}

/** The public index of what `edge-kms/testing` exports. */
const loadTesting = () => import(new URL('../../../adapters/fakes/index.ts', import.meta.url).href)

/** The faults that the fake can be told to have. */
export const fakeDefects = async () => (await loadTesting()).FAKE_AWS_DEFECTS ?? []

/**
 * @param {import('./world.mjs').Sdk} sdk
 * @param {(target: import('./world.mjs').AwsTarget) => Promise<void>} work
 * @param {readonly string[]} [defects]
 * @returns {Promise<string | undefined>} why there is none
 */
export async function withFake(sdk, work, defects = []) {
  const { createFakeAws } = await loadTesting()
  if (createFakeAws === undefined) return 'edge-kms/testing has no createFakeAws yet'
  const { jwk, webIdentityToken } = createIssuer()
  let offsetMs = -2 * hourMs
  const fake = createFakeAws(optionsOf(jwk, () => Date.now() + offsetMs, defects))
  const handler = typeof fake === 'function' ? fake : (request) => fake.fetch(request)
  const front = await openFront(handler)
  try {
    const expired = await oldSession(sdk, front.url)
    offsetMs = 0
    await work({
      name: 'fake',
      endpoint: front.url,
      region,
      otherRegion,
      accountId,
      credentials,
      encryptOnly,
      expired,
      roleArn,
      webIdentityRoleArn,
      webIdentityToken,
    })
  } finally {
    await front.close()
  }
  return undefined
}
