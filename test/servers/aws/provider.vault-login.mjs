// The request to STS that a login to Vault by AWS carries: Vault sends it on as it is, and so does this
// file, to a server that checks signatures. OpenBao has no such login to be tried by.
import assert from 'node:assert/strict'
import { request as send } from 'node:http'
import { createVaultTransitKms, vaultAwsIam } from '../../../src/providers/vault-transit/index.ts'
import { webNetwork } from '../../../src/runtime/index.ts'

const text = (/** @type {string} */ base64) => Buffer.from(base64, 'base64').toString()

/** Returns the request that the login sends to Vault. @param {any} credentials */
async function loginOf(credentials) {
  /** @type {any} */
  let body
  const network = {
    ...webNetwork,
    fetch: async (_url, init) => {
      body = JSON.parse(init.body)
      return Response.json({ errors: [] }, { status: 400 })
    },
  }
  const auth = vaultAwsIam({ role: 'app', credentials, serverId: 'vault.example' })
  const endpoint = 'https://vault.example'
  const kms = createVaultTransitKms({ endpoint, key: 'app', auth, network })
  await assert.rejects(kms.currentVersion({}), { code: 'ERR_KMS_UNAUTHENTICATED' })
  return body
}

/** As Vault does, but to this server; fetch would not let the Host be another. */
function sendOn(endpoint, login) {
  const { host } = new URL(text(login.iam_request_url))
  const headers = { ...JSON.parse(text(login.iam_request_headers)), host }
  return new Promise((resolve, reject) => {
    const outgoing = send(
      endpoint,
      { method: login.iam_http_request_method, headers },
      (answer) => {
        let body = ''
        answer.setEncoding('utf8')
        answer.on('data', (piece) => (body += piece))
        answer.on('end', () => resolve({ status: answer.statusCode, body }))
      },
    )
    outgoing.once('error', reject)
    outgoing.end(text(login.iam_request_body))
  })
}

/** @param {any} target @param {any} tools */
export async function run(target, { check, skip }) {
  const { endpoint, credentials, accountId } = target
  await check('STS knows who signed it', async () => {
    const { status, body } = await sendOn(endpoint, await loginOf(credentials))
    assert.equal(status, 200, body)
    assert.match(body, new RegExp(`<Arn>arn:aws:[^<]*${accountId}[^<]*</Arn>`))
  })
  if (target.name === 'localstack') skip('refuses a wrong secret', 'LocalStack checks no signature')
  else
    await check('STS refuses it with a wrong secret', async () => {
      const wrong = { ...credentials, secretAccessKey: 'wrong' }
      assert.equal((await sendOn(endpoint, await loginOf(wrong))).status, 403)
    })
}
