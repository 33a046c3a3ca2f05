/** The servers that play AWS, each set up with users, roles and an issuer of tokens. */
import { withServers } from '../../../tools/servers/with-servers.mjs'
import { withFake } from './fake.mjs'
import { iamCalls, setUpIam } from './set-up.mjs'
import { createIssuer } from './web-identity.mjs'

const place = { region: 'us-east-1', otherRegion: 'eu-west-1' }

const rolesOf = (accountId) => ({
  accountId,
  roleArn: `arn:aws:iam::${accountId}:role/app`,
  webIdentityRoleArn: `arn:aws:iam::${accountId}:role/workload`,
  webIdentityToken: createIssuer().webIdentityToken,
})

/** moto with its signature check on: only the set-up's calls pass unchecked. */
async function setUpMoto({ url }) {
  const accountId = '123456789012'
  const passUnchecked = async (requests) => {
    const opened = await fetch(`${url}/moto-api/reset-auth`, {
      method: 'POST',
      headers: { 'content-type': 'text/plain' },
      body: String(requests),
    })
    await opened.arrayBuffer()
    if (!opened.ok) throw new Error(`moto did not open its window: ${opened.status}`)
  }
  await passUnchecked(iamCalls(accountId).length)
  const users = await setUpIam(url, accountId)
  const beforeUnsigned = () => passUnchecked(1)
  return { name: 'moto', endpoint: url, ...place, ...rolesOf(accountId), ...users, beforeUnsigned }
}

/** LocalStack checks no signature and no policy, and takes any access key for this account's. */
async function setUpLocalStack({ url }) {
  const accountId = '000000000000'
  const users = await setUpIam(url, accountId)
  return { name: 'localstack', endpoint: url, ...place, ...rolesOf(accountId), ...users }
}

const setUps = { moto: setUpMoto, localstack: setUpLocalStack }

/** In the order in which the lane runs them. */
export const names = [...Object.keys(setUps), 'fake']

/**
 * Starts one server, sets it up, and calls `work`. If this machine cannot have the server,
 * `work` is not called and the answer is the reason; under `CI=true` that throws.
 *
 * @param {string} name
 * @param {import('./world.mjs').Sdk} sdk
 * @param {(target: import('./world.mjs').AwsTarget) => Promise<void>} work
 * @returns {Promise<string | undefined>} the reason
 */
export async function withTarget(name, sdk, work) {
  if (name === 'fake') return withFake(sdk, work)
  return withServers([name], async (servers, [missing]) => {
    if (missing !== undefined) return missing.reason
    await work(await setUps[name](servers[name]))
    return undefined
  })
}
