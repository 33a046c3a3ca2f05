/** docs/guides/aws-profiles.md: its code, over profile files, with a stand-in for AWS KMS and for the portal of SSO. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createFakeAws } from '../../../adapters/fakes/index.ts'
import { assumeRole } from '../../../src/credentials/aws/index.ts'
import { blocksOf } from '../../../tools/lib/doc-blocks.mjs'
import { ensureFolder, node24 } from '../../../tools/lib/folders.mjs'
import { openFront } from '../../../tools/servers/front.mjs'
import { runScript } from './server.mjs'

const ROLE = 'arn:aws:iam::111122223333:role/dev'
const SSO_TOKEN = 'the-token-of-a-login'
const HOUR_MS = 3_600_000

/** Encrypts and decrypts with two calls of the KMS, and prints the code of an error. */
const USE = `import { cipher } from './profile.ts'
try {
  const text = await cipher.encryptText('4111 1111')
  cipher.clear()
  console.log(await cipher.decryptText(text))
} catch (error) {
  console.log(error.code, String(error).includes('SSO'))
}
process.exit(0)
`

/** @param {string} path  @param {string} text */
function save(path, text) {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

/**
 * The files of a developer's home folder: one profile for each way to credentials.
 *
 * @param {string} home
 * @param {{ accessKeyId: string, secretAccessKey: string }} keys
 * @param {number} loginEndsMs
 */
function saveProfiles(home, { accessKeyId, secretAccessKey }, loginEndsMs) {
  const Expiration = new Date(Date.now() + HOUR_MS).toISOString()
  const answer = {
    Version: 1,
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    Expiration,
  }
  save(join(home, 'broker.mjs'), `console.log(${JSON.stringify(JSON.stringify(answer))})\n`)
  save(
    join(home, '.aws/credentials'),
    `[keys]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`,
  )
  save(
    join(home, '.aws/config'),
    `[profile broker]
credential_process = ${node24} ${join(home, 'broker.mjs')}
[profile sso]
sso_session = work
sso_account_id = 111122223333
sso_role_name = dev
[sso-session work]
sso_region = us-east-1
sso_start_url = https://example.awsapps.com/start
sso_registration_scopes = sso:account:access
`,
  )
  const login = { accessToken: SSO_TOKEN, expiresAt: new Date(loginEndsMs).toISOString() }
  const name = createHash('sha1').update('work').digest('hex')
  save(join(home, `.aws/sso/cache/${name}.json`), JSON.stringify(login))
}

/**
 * The portal of SSO: it gives the session of a role to a holder of the login.
 *
 * @param {import('../../../adapters/fakes/index.ts').FakeAws} aws
 */
async function openPortal(aws) {
  const { region, credentials, network } = aws
  const role = assumeRole({ region, roleArn: ROLE, credentials, network })
  const { accessKeyId, secretAccessKey, sessionToken } = await role.get({})
  const expiration = Date.now() + HOUR_MS
  const body = { roleCredentials: { accessKeyId, secretAccessKey, sessionToken, expiration } }
  return openFront((request) => {
    const { pathname } = new URL(request.url)
    const isIn = request.headers.get('x-amz-sso_bearer_token') === SSO_TOKEN
    if (pathname !== '/federation/credentials' || !isIn) throw new Error('no such request')
    return Promise.resolve(Response.json(body))
  })
}

/**
 * @param {import('./check.mjs').Report} report
 * @param {string} folder of the example, which has edge-kms
 */
export async function checkProfiles({ check }, folder) {
  const [block] = blocksOf('docs/guides/aws-profiles.md')
  save(join(folder, 'profile.ts'), block?.code ?? '')
  save(join(folder, 'use-profile.ts'), USE)
  const modules = join(ensureFolder('clients/aws'), 'node_modules')
  mkdirSync(join(folder, 'node_modules/@aws-sdk'))
  const name = '@aws-sdk/credential-providers'
  symlinkSync(join(modules, name), join(folder, 'node_modules', name))

  const aws = createFakeAws({ roles: [{ arn: ROLE, trust: { principals: ['*'] } }] })
  const portal = await openPortal(aws)
  const kms = await openFront((request) => aws.fetch(request))
  const home = join(folder, 'home')
  const env = {
    HOME: home,
    EDGE_KMS_AWS_KEY_ID: aws.createKey().arn,
    EDGE_KMS_AWS_ENDPOINT: kms.url,
    AWS_ENDPOINT_URL_SSO: portal.url,
    AWS_EC2_METADATA_DISABLED: 'true',
  }
  /** @param {import('./server.mjs').Runtime} runtime  @param {string} AWS_PROFILE */
  const use = (runtime, AWS_PROFILE) =>
    runScript(runtime, folder, 'use-profile.ts', { ...env, AWS_PROFILE })
  try {
    for (const runtime of /** @type {const} */ (['node', 'bun']))
      for (const profile of ['keys', 'broker', 'sso'])
        await check(`${runtime} finds the credentials of the profile ${profile}`, async () => {
          saveProfiles(home, aws.credentials, Date.now() + HOUR_MS)
          aws.forgetCalls()
          assert.equal(await use(runtime, profile), '4111 1111\n')
          assert.deepEqual([aws.count('GenerateDataKey'), aws.count('Decrypt')], [1, 1])
        })
    await check(
      'node fails closed when the login of SSO has ended, or a profile is not there',
      async () => {
        saveProfiles(home, aws.credentials, Date.now() - HOUR_MS)
        aws.forgetCalls()
        for (const profile of ['sso', 'nobody'])
          assert.equal(await use('node', profile), 'ERR_KMS_UNAVAILABLE false\n')
        assert.equal(aws.count(), 0)
      },
    )
  } finally {
    await portal.close()
    await kms.close()
  }
}
