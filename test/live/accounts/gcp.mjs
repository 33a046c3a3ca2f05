/** GCP: keys in a key ring that exists; at the end every version is scheduled for destruction. Names of keys stay. */
import { answerOf, loopbackOrHttps, placeOf, runName } from './support.mjs'

const PREFIX = 'EDGE_KMS_LIVE_GCP_'

/** @type {import('./index.mjs').Account} */
export const gcp = {
  vendor: 'gcp',
  required: ['TOKEN', 'KEY_RING'].map((name) => PREFIX + name),
  optional: ['ENDPOINT', 'SERVER'].map((name) => PREFIX + name),
  secrets: [`${PREFIX}TOKEN`],
  open(env) {
    const of = (name) => env[PREFIX + name] || undefined
    const token = of('TOKEN')
    const ring = of('KEY_RING')
    if (!/^projects\/[^/]+\/locations\/[^/]+\/keyRings\/[^/]+$/.test(ring ?? ''))
      throw new Error(`${PREFIX}KEY_RING must be projects/…/locations/…/keyRings/…`)
    const endpoint = loopbackOrHttps(of('ENDPOINT'))
    const base = `${endpoint ?? 'https://cloudkms.googleapis.com'}/v1`
    const call = async (method, path, body) => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
      const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) }
      return answerOf(path, await fetch(`${base}/${path}`, init))
    }
    const name = runName()
    // Runtimes ask at once: a name is taken before it is asked for.
    let made = 0
    /** @type {string[]} */
    const keys = []

    async function createKey() {
      const id = `${name}-${made++}`
      const body = { purpose: 'ENCRYPT_DECRYPT' }
      const key = await call('POST', `${ring}/cryptoKeys?cryptoKeyId=${id}`, body)
      keys.push(key.name)
      return key.name
    }

    /** @param {string} key */
    async function destroyVersions(key) {
      const { cryptoKeyVersions = [] } = await call('GET', `${key}/cryptoKeyVersions?pageSize=100`)
      for (const { name: version, state } of cryptoKeyVersions)
        if (!/^DESTROY/.test(state)) await call('POST', `${version}:destroy`, {})
    }

    return {
      target: { token, ...placeOf(endpoint, of('SERVER')) },
      newKeys: async () => ({ keyName: await createKey(), otherKeyName: await createKey() }),
      cleanUp: () =>
        keys.map((key) => ({
          what: key,
          byHand: `gcloud kms keys versions list --key ${key}, then gcloud kms keys versions destroy for each`,
          remove: () => destroyVersions(key),
        })),
    }
  },
}
