/** Key Vault. Its clients accept https only, so each side sends its requests here by a transport that rewrites the URL. */
import { createFakeAzure } from '../../../adapters/fakes/index.ts'

const VAULT = 'https://acme.vault.azure.net'
const secret = 'not-a-secret~client'
// With the permission `get`, Microsoft's client would read the public key and wrap by itself.
const application = {
  clientId: '72f0a1c4-0000-4000-8000-000000000002',
  clientSecret: secret,
  permissions: ['wrapKey', 'unwrapKey'],
}

async function tokenOf(fake) {
  const { tenantId, clientId, clientSecret } = fake.credentials
  const response = await fake.fetch(
    new Request(`https://login.microsoftonline.com/${tenantId}/oauth2/v2.0/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: clientId,
        client_secret: clientSecret,
        scope: 'https://vault.azure.net/.default',
      }),
    }),
  )
  if (!response.ok) throw new Error(`no token: ${response.status}`)
  return (await response.json()).access_token
}

export async function createWorld() {
  const fake = createFakeAzure({ applications: [application], tokenSeconds: 86_400 })
  const keyId = fake.createKey()
  return {
    fake,
    urlOf: (incoming) => `${VAULT}${incoming.url}`,
    // Requests with another token must get an answer of their own.
    operationOf: ({ url, headers }) => `${url} ${headers.authorization}`,
    place: { vault: VAULT, keyId, token: await tokenOf(fake) },
  }
}
