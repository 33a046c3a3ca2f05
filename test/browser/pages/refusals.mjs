/** The answer of each provider where this runs: in a page, and in a worker that loads the same file. */
import { createAwsKms } from 'edge-kms/aws-kms'
import { createAzureKeyVaultKms } from 'edge-kms/azure-key-vault'
import { createKms } from 'edge-kms/config'
import { createGcpKms } from 'edge-kms/gcp-kms'
import { createLocalKms, EnvKeyProvider } from 'edge-kms/local'
import { createVaultTransitKms, vaultToken } from 'edge-kms/vault-transit'

const endpoint = 'https://vault.example.com:8200'
const keyName = 'projects/acme/locations/global/keyRings/app/cryptoKeys/data'
const key = btoa('0123456789abcdef0123456789abcdef')
const credentials = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'not-a-secret' }
const token = async () => ({ token: 'not-a-token', expiresAtMs: Date.now() + 60_000 })
const auth = { type: 'token', token: 'not-a-token' }

const makers = {
  'aws-kms': (rule) =>
    createAwsKms({ keyId: 'alias/app', region: 'eu-central-1', credentials, ...rule }),
  'gcp-kms': (rule) => createGcpKms({ keyName, credentials: token, ...rule }),
  'azure-key-vault': (rule) =>
    createAzureKeyVaultKms({
      keyId: 'https://acme.vault.azure.net/keys/app',
      credentials: token,
      ...rule,
    }),
  'vault-transit': (rule) =>
    createVaultTransitKms({ endpoint, key: 'app', auth: vaultToken('not-a-token'), ...rule }),
  'a configuration': (rule) =>
    createKms({ provider: 'vault-transit', endpoint, key: 'app', auth, ...rule }),
  EnvKeyProvider: (rule) => new EnvKeyProvider({ EDGE_KMS_KEY_V1: key }, rule),
}

function saidBy(make) {
  try {
    make()
    return 'made'
  } catch (error) {
    return `${error.code}: ${error.message}`
  }
}

function answers() {
  const rows = Object.entries(makers).map(([name, make]) => [
    name,
    {
      bare: saidBy(() => make({})),
      allowed: saidBy(() => make({ dangerouslyAllowBrowser: true })),
    },
  ])
  const local = saidBy(() => createLocalKms({ versions: [{ version: 1, key }] }))
  return { ...Object.fromEntries(rows), local: { bare: local, allowed: local } }
}

const FILE = '/refusals.js'
const MODULE = /** @type {const} */ ({ type: 'module' })
/** The first message of a port, or of a worker. */
const heard = (port) =>
  new Promise((resolve, reject) => {
    port.onmessage = ({ data }) => resolve(data)
    port.onerror = () => reject(new Error('the worker failed'))
  })

Object.assign(globalThis, {
  answers,
  answersOfWorker: () => heard(new Worker(FILE, MODULE)),
  answersOfSharedWorker: () => heard(new SharedWorker(FILE, MODULE).port),
  async answersOfServiceWorker() {
    await navigator.serviceWorker.register(FILE, MODULE)
    const { active } = await navigator.serviceWorker.ready
    const { port1, port2 } = new MessageChannel()
    active?.postMessage(port2, [port2])
    return heard(port1)
  },
})

if (typeof document === 'undefined') {
  addEventListener('connect', (/** @type {any} */ { ports: [port] }) => port.postMessage(answers()))
  addEventListener('message', ({ data }) => data.postMessage(answers()))
  // A worker of one page has the page itself as its other end.
  if (typeof postMessage === 'function') postMessage(answers())
}
