/** Vault or OpenBao: keys of a transit engine; at the end they are deleted. */
import { answerOf, loopbackOrHttps, runName } from './support.mjs'

const PREFIX = 'EDGE_KMS_LIVE_VAULT_'

/** @type {import('./index.mjs').Account} */
export const vault = {
  vendor: 'vault',
  required: ['ADDR', 'TOKEN'].map((name) => PREFIX + name),
  optional: ['MOUNT', 'NAMESPACE'].map((name) => PREFIX + name),
  secrets: [`${PREFIX}TOKEN`],
  open(env) {
    const of = (name) => env[PREFIX + name] || undefined
    const endpoint = loopbackOrHttps(of('ADDR')) ?? ''
    const [token, namespace] = [of('TOKEN') ?? '', of('NAMESPACE')]
    const mount = of('MOUNT') ?? 'transit'
    const call = async (method, path, body) => {
      const headers = {
        'x-vault-token': token,
        ...(namespace !== undefined && { 'x-vault-namespace': namespace }),
      }
      const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) }
      return answerOf(path, await fetch(`${endpoint}/v1/${path}`, init))
    }
    const name = runName()
    // Runtimes ask at once: a name is taken before it is asked for.
    let made = 0
    /** @type {string[]} */
    const keys = []

    async function createKey(options = {}) {
      const key = `${name}-${made++}`
      await call('POST', `${mount}/keys/${key}`, options)
      keys.push(key)
      return key
    }

    async function remove(key) {
      await call('POST', `${mount}/keys/${key}/config`, { deletion_allowed: true })
      await call('DELETE', `${mount}/keys/${key}`)
    }

    return {
      target: {
        name: 'live',
        endpoint,
        token,
        mount,
        ...(namespace !== undefined && { namespace }),
      },
      newKeys: async () => ({
        key: await createKey(),
        other: await createKey(),
        derived: await createKey({ derived: true }),
        otherDerived: await createKey({ derived: true }),
      }),
      cleanUp: () =>
        keys.map((key) => ({
          what: `${mount}/keys/${key}`,
          byHand: `vault write ${mount}/keys/${key}/config deletion_allowed=true && vault delete ${mount}/keys/${key}`,
          remove: () => remove(key),
        })),
    }
  },
}
