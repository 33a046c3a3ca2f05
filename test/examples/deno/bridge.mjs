/** The fakes of the clouds behind loopback servers, one for each host, for programs in another process. */
import { createServer } from 'node:http'
import { Readable } from 'node:stream'
import {
  createFakeAws,
  createFakeAzure,
  createFakeGcp,
  createFakeVault,
} from '../../../adapters/fakes/index.ts'
import { testIssuer } from '../../unit/stack/tokens.ts'

/** Names of the examples in docs/guides/deno.md. */
export const ROLE = 'arn:aws:iam::111122223333:role/deno-app'
export const POOL_PROVIDER =
  '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/oidc-deno-com/providers/oidc-deno-com'
export const ACCOUNT = 'app@acme-prod.iam.gserviceaccount.com'
export const SUBJECT = 'deployment:acme/notes/production'

/**
 * @typedef {{ fetch(request: Request): Promise<Response> }} Fake
 * @typedef {Awaited<ReturnType<typeof openClouds>>} Clouds
 */

/** A request that came to a loopback server, as it would have come to the host. */
function requestOf(host, incoming) {
  const headers = new Headers()
  for (const [name, value] of Object.entries(incoming.headers))
    if (typeof value === 'string' && name !== 'host') headers.set(name, value)
  const method = incoming.method ?? 'GET'
  const init = { method, headers }
  const url = `https://${host}${incoming.url}`
  if (method === 'GET') return new Request(url, init)
  // The types of the web do not know `duplex`, which Node demands.
  const more = /** @type {any} */ ({ body: Readable.toWeb(incoming), duplex: 'half' })
  return new Request(url, { ...init, ...more })
}

/**
 * Serves on loopback what the fake answers for a host.
 *
 * @param {string} host
 * @param {Fake} fake
 */
async function serveAs(host, fake) {
  const server = createServer((incoming, outgoing) => {
    fake.fetch(requestOf(host, incoming)).then(
      async (response) => {
        outgoing.writeHead(response.status, Object.fromEntries(response.headers))
        outgoing.end(Buffer.from(await response.arrayBuffer()))
      },
      () => outgoing.destroy(),
    )
  })
  await new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(undefined))
  })
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  return { address: `127.0.0.1:${port}`, server }
}

/** A fake of each cloud, with a key each, behind servers. All trust the issuer whose tokens Deno Deploy would give. */
export async function openClouds() {
  const issuer = await testIssuer()
  const trusted = { issuer: issuer.issuer, keys: issuer.keys }
  const aws = createFakeAws({
    roles: [{ arn: ROLE, trust: { webIdentity: { issuer: issuer.issuer } } }],
    identityProviders: [{ ...trusted, audiences: ['sts.amazonaws.com'] }],
  })
  const pool = POOL_PROVIDER.replace(/\/providers\/.*/, '')
  const gcp = createFakeGcp({
    poolProviders: [{ ...trusted, audience: POOL_PROVIDER }],
    serviceAccounts: [{ email: ACCOUNT, tokenCreators: [`principal:${pool}/subject/${SUBJECT}`] }],
  })
  const azure = createFakeAzure()
  const vault = createFakeVault()
  vault.createKey({ name: 'app' })
  /** @type {Record<string, Fake>} */
  const fakes = {
    'kms.us-east-1.amazonaws.com:443': aws,
    'sts.us-east-1.amazonaws.com:443': aws,
    'sts.googleapis.com:443': gcp,
    'iamcredentials.googleapis.com:443': gcp,
    'cloudkms.googleapis.com:443': gcp,
    'login.microsoftonline.com:443': azure,
    'acme.vault.azure.net:443': azure,
    'vault.example.com:8200': vault,
  }
  /** @type {Record<string, string>} */
  const addresses = {}
  const servers = []
  for (const [place, fake] of Object.entries(fakes)) {
    const { address, server } = await serveAs(place.replace(/:443$/, ''), fake)
    addresses[place] = address
    servers.push(server)
  }
  const close = () => servers.forEach((server) => server.close())
  return { issuer, aws, gcp, azure, vault, addresses, close }
}
