/**
 * Servers in place of accounts: the variables that lead to each, and what a run made there.
 *
 * @typedef {object} Account
 * @property {Record<string, string>} env
 * @property {readonly string[]} secrets
 * @property {() => Promise<{ name: string, gone: boolean }[]>} made keys whose names begin as those of a run
 */
import { fileURLToPath } from 'node:url'
import { openFront } from '../../../tools/servers/front.mjs'
import { loadSdk as loadAws } from '../aws/clients.mjs'
import { withTarget } from '../aws/targets.mjs'
import { createWorld as createAwsWorld } from '../aws/world.mjs'
import { loadSdk as loadAzure } from '../azure/clients.mjs'
import { withFake as withAzure } from '../azure/fake.mjs'
import { targets as gcpTargets } from '../gcp/targets.mjs'
import { withOpenBao } from '../vault/openbao.mjs'

const PREFIX = 'edge-kms-live-'
const detour = fileURLToPath(new URL('detour.mjs', import.meta.url))

/** @returns {Account} */
function awsAccount(sdk, target) {
  const { accessKeyId, secretAccessKey } = target.credentials
  const world = createAwsWorld(sdk, target)
  return {
    env: {
      EDGE_KMS_LIVE_AWS_ACCESS_KEY_ID: accessKeyId,
      EDGE_KMS_LIVE_AWS_SECRET_ACCESS_KEY: secretAccessKey,
      EDGE_KMS_LIVE_AWS_REGION: target.region,
      EDGE_KMS_LIVE_AWS_ENDPOINT: target.endpoint,
      EDGE_KMS_LIVE_AWS_SERVER: target.name,
    },
    secrets: [secretAccessKey],
    async made() {
      const { Keys } = await world.kms('ListKeys', {})
      const { Aliases } = await world.kms('ListAliases', {})
      const keys = await Promise.all(
        Keys.map(async ({ KeyId }) => (await world.kms('DescribeKey', { KeyId })).KeyMetadata),
      )
      return [
        ...keys
          .filter(({ Description }) => Description.startsWith(PREFIX))
          .map(({ Arn, KeyState }) => ({ name: Arn, gone: KeyState === 'PendingDeletion' })),
        ...Aliases.filter(({ AliasName }) => AliasName.startsWith(`alias/${PREFIX}`)).map(
          ({ AliasName }) => ({ name: AliasName, gone: false }),
        ),
      ]
    },
  }
}

/** OpenBao forgets a key that is deleted, so its making is seen by a front. @returns {Promise<Account & { close: () => Promise<void> }>} */
async function vaultAccount({ endpoint, token: root }) {
  const names = new Set()
  const created = await fetch(`${endpoint}/v1/auth/token/create`, {
    method: 'POST',
    headers: { 'x-vault-token': root },
    body: JSON.stringify({ policies: ['all'], ttl: '1h' }),
  })
  const token = (await created.json()).auth.client_token
  const front = await openFront(async (request) => {
    const { pathname, search } = new URL(request.url)
    const [, key] = /^\/v1\/transit\/keys\/([^/]+)$/.exec(pathname) ?? []
    if (request.method === 'POST' && key?.startsWith(PREFIX)) names.add(key)
    const { method, headers } = request
    const body = method === 'GET' ? undefined : await request.arrayBuffer()
    return fetch(endpoint + pathname + search, { method, headers, ...(body && { body }) })
  })
  return {
    env: { EDGE_KMS_LIVE_VAULT_ADDR: front.url, EDGE_KMS_LIVE_VAULT_TOKEN: token },
    secrets: [token],
    made: () =>
      Promise.all(
        [...names].map(async (name) => {
          const headers = { 'x-vault-token': token }
          const { status } = await fetch(`${endpoint}/v1/transit/keys/${name}`, { headers })
          return { name, gone: status === 404 }
        }),
      ),
    close: () => front.close(),
  }
}

/** @returns {Promise<Account>} */
async function gcpAccount({ endpoint, location, token }) {
  const ring = `${location}/keyRings/live`
  const call = async (method, path) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const body = method === 'POST' ? '{}' : undefined
    const answer = await fetch(`${endpoint}/v1/${path}`, { method, headers, ...(body && { body }) })
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
    return answer.json()
  }
  await call('POST', `${location}/keyRings?keyRingId=live`)
  return {
    env: {
      EDGE_KMS_LIVE_GCP_KEY_RING: ring,
      EDGE_KMS_LIVE_GCP_TOKEN: token,
      EDGE_KMS_LIVE_GCP_ENDPOINT: endpoint,
      EDGE_KMS_LIVE_GCP_SERVER: 'emulator',
    },
    secrets: [token],
    async made() {
      const { cryptoKeys = [] } = await call('GET', `${ring}/cryptoKeys`)
      return Promise.all(
        cryptoKeys.map(async ({ name }) => {
          const { cryptoKeyVersions } = await call('GET', `${name}/cryptoKeyVersions`)
          return { name, gone: cryptoKeyVersions.every(({ state }) => /^DESTROY/.test(state)) }
        }),
      )
    },
  }
}

/** Requests to Microsoft's hosts make a detour to the fake. @returns {Promise<Account & { close: () => Promise<void> }>} */
async function azureAccount({ fetch: serve, tenantId, admin, vault }) {
  const made = new Map()
  const front = await openFront(async (request) => {
    const url = request.headers.get('x-detour-from') ?? ''
    const headers = new Headers(request.headers)
    headers.delete('x-detour-from')
    headers.set('host', new URL(url).host)
    const { method } = request
    const body = method === 'GET' ? undefined : await request.arrayBuffer()
    const answer = await serve(new Request(url, { method, headers, ...(body && { body }) }))
    const [, key] = /\/keys\/([^/?]+)(?:\/create)?\?/.exec(url) ?? []
    if (answer.ok && key?.startsWith(PREFIX)) {
      if (method === 'POST' && url.includes('/create?')) made.set(key, false)
      if (method === 'DELETE') made.set(key, true)
    }
    return answer
  })
  const quiet = process.env['NODE_OPTIONS'] ?? ''
  return {
    env: {
      EDGE_KMS_LIVE_AZURE_TENANT_ID: tenantId,
      EDGE_KMS_LIVE_AZURE_CLIENT_ID: admin.clientId,
      EDGE_KMS_LIVE_AZURE_CLIENT_SECRET: admin.clientSecret,
      EDGE_KMS_LIVE_AZURE_VAULT: vault,
      EDGE_KMS_DETOUR: front.url,
      NODE_OPTIONS: `${quiet} --import=${detour}`.trim(),
    },
    secrets: [admin.clientSecret],
    made: async () => [...made].map(([name, gone]) => ({ name, gone })),
    close: () => front.close(),
  }
}

/**
 * Starts all of them for the time of `work`; those that this machine cannot have are skipped.
 *
 * @param {(vendor: string, reason: string) => void} skip
 * @param {(accounts: any) => Promise<void>} work
 */
export async function openAccounts(skip, work) {
  /** @type {Record<string, any>} */
  const accounts = {}
  const aws = loadAws()
  const open = {
    aws: (next) => withTarget('moto', aws, (target) => next(awsAccount(aws, target))),
    vault: (next) => withOpenBao(async (target) => next(await vaultAccount(target))),
    gcp: (next) => gcpTargets.emulator(async (target) => next(await gcpAccount(target))),
    azure: (next) => withAzure(loadAzure(), async (target) => next(await azureAccount(target))),
  }
  const from = async (
    /** @type {[string, (next: any) => Promise<string | undefined>][]} */ rest,
  ) => {
    const [[vendor, start] = [], ...others] = rest
    if (vendor === undefined || start === undefined) return work(accounts)
    const reason = await start(async (account) => {
      accounts[vendor] = account
      try {
        await from(others)
      } finally {
        await account.close?.()
      }
    })
    if (reason === undefined) return undefined
    skip(vendor, reason)
    return from(others)
  }
  await from(Object.entries(open))
}
