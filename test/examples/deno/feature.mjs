/**
 * One feature of the table in docs/guides/deno.md, on Deno: `<name> <facts as JSON>`. Prints `works`, or the code and
 * the message of the error.
 */
import { EncryptedEnvelope, EnvelopeCipher, stackFromEnv } from 'edge-kms'
import { assumeRoleWithWebIdentity, awsKmsFromEnv } from 'edge-kms/aws-kms'
import { azureKmsFromEnv } from 'edge-kms/azure-key-vault'
import { anyKmsFromEnv } from 'edge-kms/config'
import {
  denoEnv,
  denoKvStores,
  denoNetwork,
  denoReadTextFile,
  openDenoKv,
  stackOnDeno,
} from 'edge-kms/deno'
import { createGateway } from 'edge-kms/gateway'
import { gcpImpersonation, gcpKmsFromEnv, gcpWorkloadIdentity } from 'edge-kms/gcp-kms'
import { createLocalKms, localKmsFromEnv } from 'edge-kms/local'
import { denoDeployToken } from 'edge-kms/oidc'
import { vaultKmsFromEnv } from 'edge-kms/vault-transit'

const { args, serve } = /** @type {any} */ (globalThis).Deno
const [name, json] = args
const facts = JSON.parse(json)
const options = { context: { tenant: 'acme' }, aad: { row: '42' } }

/** The same requests to the servers that stand in for the hosts. */
const network = {
  ...denoNetwork,
  fetch: (/** @type {string} */ url, /** @type {RequestInit} */ init) => {
    const { hostname, port } = new URL(url)
    const address = facts.addresses[`${hostname}:${port || '443'}`]
    const local = url.replace(/^https:\/\/[^/]+/, `http://${address}`)
    return denoNetwork.fetch(local, init)
  },
}

/** @param {{ readonly cipher: EnvelopeCipher }} stack */
async function roundTrip({ cipher }) {
  const text = await cipher.encryptText('4111 1111', options)
  if ((await cipher.decryptText(text, options)) !== '4111 1111') throw new Error('another text')
}

const vendor = (/** @type {any} */ kms) => roundTrip(stackOnDeno({ kms, network }))
const key = Uint8Array.from({ length: 32 }, (_, i) => i)
const localKms = () => createLocalKms({ versions: [{ version: 1, key }] })
const getIdToken = async (/** @type {string} */ audience) => facts.tokens[audience]

async function awsByToken() {
  const credentials = assumeRoleWithWebIdentity({
    region: 'us-east-1',
    roleArn: facts.role,
    token: denoDeployToken({ getIdToken, audience: 'sts.amazonaws.com' }),
    network,
  })
  await vendor((env, more) => awsKmsFromEnv(env, { ...more, credentials }))
}

async function gcpByToken() {
  const { audience } = facts
  const token = denoDeployToken({ getIdToken, audience: `https:${audience}` })
  const credentials = gcpImpersonation({
    serviceAccount: facts.account,
    credentials: gcpWorkloadIdentity({ audience, token, network }),
    network,
  })
  await vendor((env, more) => gcpKmsFromEnv(env, { ...more, credentials }))
}

/** Two stacks, as of two processes, on one database: they share a data key, and the records of messages by reference. */
async function kv(/** @type {object} */ more) {
  const database = await openDenoKv(more)
  const open = () => {
    const stores = denoKvStores({ kv: database, partition: 'test', trustedStore: true })
    return stackFromEnv({}, { kms: localKms, form: 'reference', ...stores })
  }
  const [first, second] = [open(), open()]
  const text = await first.cipher.encryptText('4111 1111', options)
  if ((await open().cipher.decryptText(text, options)) !== '4111 1111') throw new Error('text')
  const dataKeyOf = async (/** @type {typeof first} */ stack) => {
    const envelope = await stack.cipher.encrypt(new Uint8Array(1), options)
    return EncryptedEnvelope.parse(envelope).commitment.join()
  }
  if ((await dataKeyOf(first)) !== (await dataKeyOf(second))) throw new Error('two data keys')
  database.close()
}

async function gateway() {
  const kms = localKms()
  const app = createGateway({ cipher: new EnvelopeCipher({ kms }), kms })
  const server = serve({ hostname: '127.0.0.1', port: facts.port, onListen: () => {} }, app.fetch)
  const url = `http://127.0.0.1:${facts.port}/v1`
  const headers = { 'edge-kms-context': '{"tenant":"acme"}' }
  const sealed = await fetch(`${url}/encrypt`, { method: 'POST', headers, body: '4111 1111' })
  const opened = await fetch(`${url}/decrypt`, { method: 'POST', headers, body: sealed.body })
  if ((await opened.text()) !== '4111 1111') throw new Error('another text')
  await server.shutdown()
}

const features = {
  'Imports; encryption under a key from your code': () =>
    roundTrip({ cipher: new EnvelopeCipher({ kms: localKms() }) }),
  'Local key': () => roundTrip(stackOnDeno({ kms: localKmsFromEnv })),
  'Configuration in JSON that refers to a variable': () =>
    roundTrip(stackFromEnv(denoEnv(), { kms: anyKmsFromEnv, readTextFile: denoReadTextFile })),
  'AWS KMS, access keys': () => vendor(awsKmsFromEnv),
  'AWS KMS, web identity in a file': () => vendor(awsKmsFromEnv),
  'AWS KMS, token of Deno Deploy': awsByToken,
  'Cloud KMS, key of a service account': () => vendor(gcpKmsFromEnv),
  'Cloud KMS, token of Deno Deploy': gcpByToken,
  'Azure Key Vault, client secret': () => vendor(azureKmsFromEnv),
  'Vault or OpenBao, token': () => vendor(vaultKmsFromEnv),
  'Deno KV, default database': () => kv({}),
  'Deno KV, file': () => kv({ path: 'app.sqlite' }),
  'Gateway under `Deno.serve`': gateway,
}

try {
  await features[name]()
  console.log('works')
} catch (error) {
  console.log(`${error.code ?? error.name}: ${error.message}`)
}
