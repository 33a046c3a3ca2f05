/** Azure: RSA keys of a vault; at the end they are deleted, and the vault's own soft delete ends them. */
import { answerOf, runName } from './support.mjs'

const PREFIX = 'EDGE_KMS_LIVE_AZURE_'
const VERSION = 'api-version=7.4'
const SCOPE = 'https://vault.azure.net/.default'

/** @type {import('./index.mjs').Account} */
export const azure = {
  vendor: 'azure',
  required: ['TENANT_ID', 'CLIENT_ID', 'CLIENT_SECRET', 'VAULT'].map((name) => PREFIX + name),
  optional: [],
  secrets: [`${PREFIX}CLIENT_SECRET`],
  open(env) {
    const of = (name) => env[PREFIX + name] ?? ''
    const vault = of('VAULT').replace(/\/$/, '')
    if (!/^https:\/\/[0-9a-z-]+\.vault\.azure\.net$/i.test(vault))
      throw new Error(`${PREFIX}VAULT must be https://<name>.vault.azure.net`)
    const [tenantId, clientId, clientSecret] = ['TENANT_ID', 'CLIENT_ID', 'CLIENT_SECRET'].map(of)
    const name = runName()
    // Runtimes ask at once: a name is taken before it is asked for.
    let made = 0
    /** @type {string[]} */
    const keys = []
    /** @type {Promise<string> | undefined} */
    let token

    async function login() {
      const url = `https://login.microsoftonline.com/${tenantId}/oauth2/v2.0/token`
      const form = { grant_type: 'client_credentials', client_id: clientId, scope: SCOPE }
      const body = new URLSearchParams({ ...form, client_secret: clientSecret })
      return (await answerOf('login', await fetch(url, { method: 'POST', body }))).access_token
    }

    const call = async (method, path, body) => {
      token ??= login()
      const headers = { authorization: `Bearer ${await token}`, 'content-type': 'application/json' }
      const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) }
      return answerOf(path, await fetch(`${vault}${path}?${VERSION}`, init))
    }

    async function createKey() {
      const key = `${name}-${made++}`
      await call('POST', `/keys/${key}/create`, { kty: 'RSA', key_size: 2_048 })
      keys.push(key)
      return `${vault}/keys/${key}`
    }

    return {
      target: { name: 'live', tenantId, clientId, clientSecret },
      newKeys: async () => ({ keyId: await createKey(), otherKeyId: await createKey() }),
      cleanUp: () =>
        keys.map((key) => ({
          what: `${vault}/keys/${key}`,
          byHand: `az keyvault key delete --id ${vault}/keys/${key}`,
          remove: () => call('DELETE', `/keys/${key}`),
        })),
    }
  },
}
