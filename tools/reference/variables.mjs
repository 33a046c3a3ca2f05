/** Every variable of an environment that the package reads: name, meaning, and what reads it. */
import { filesIn } from '../lib/doc-blocks.mjs'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../lib/folders.mjs'

const AWS = '`awsKmsFromEnv`'
const AZURE = '`azureKmsFromEnv`'
const GCP = '`gcpKmsFromEnv`'
const VAULT = '`vaultKmsFromEnv`'
const LOCAL = '`localKmsFromEnv`, `EnvKeyProvider`'
const GATEWAY = "the gateway's Worker"

/** @type {Record<string, [meaning: string, reader: string]>} */
export const variables = {
  EDGE_KMS_AWS_KEY_ID: ['key of AWS KMS: ARN, id or alias; chooses AWS KMS', AWS],
  EDGE_KMS_AWS_ENDPOINT: ['address of AWS KMS instead of the Region’s own', AWS],
  AWS_REGION: ['Region, if the key is not an ARN', AWS],
  AWS_DEFAULT_REGION: ['the same, if `AWS_REGION` is not set', AWS],
  AWS_USE_FIPS_ENDPOINT: ['`true`: FIPS endpoints', AWS],
  AWS_USE_DUALSTACK_ENDPOINT: ['`true`: dual-stack endpoints', AWS],
  AWS_ACCESS_KEY_ID: ['access key; needs the secret', AWS],
  AWS_SECRET_ACCESS_KEY: ['secret of the access key', AWS],
  AWS_SESSION_TOKEN: ['session token of temporary access keys', AWS],
  AWS_WEB_IDENTITY_TOKEN_FILE: ['path of an OIDC token, exchanged at STS', AWS],
  AWS_ROLE_ARN: ['role to assume with the OIDC token', AWS],
  AWS_ROLE_SESSION_NAME: ['session name of that role', AWS],
  AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: ['path of the credentials endpoint of ECS', AWS],
  AWS_CONTAINER_CREDENTIALS_FULL_URI: ['URL of a credentials endpoint, as on EKS', AWS],
  AWS_CONTAINER_AUTHORIZATION_TOKEN: ['token for that endpoint', AWS],
  AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: ['path of that token; takes precedence', AWS],
  EDGE_KMS_GCP_KEY_ID: ['key of Cloud KMS: its resource name; chooses Cloud KMS', GCP],
  GOOGLE_APPLICATION_CREDENTIALS: ['credentials as JSON, or the path of their file', GCP],
  GCE_METADATA_HOST: ['host of the metadata server', GCP],
  EDGE_KMS_AZURE_KEY_ID: ['key of Key Vault or Managed HSM: its URL; chooses Azure', AZURE],
  AZURE_TENANT_ID: ['Entra tenant', AZURE],
  AZURE_CLIENT_ID: ['application, or user-assigned managed identity', AZURE],
  AZURE_CLIENT_SECRET: ['client secret', AZURE],
  AZURE_CLIENT_CERTIFICATE_PATH: ['path of a PEM file with certificate and private key', AZURE],
  AZURE_FEDERATED_TOKEN_FILE: ['path of a federated token', AZURE],
  AZURE_AUTHORITY_HOST: ['Entra authority of another cloud', AZURE],
  IDENTITY_ENDPOINT: ['managed identity endpoint of App Service and Functions', AZURE],
  IDENTITY_HEADER: ['secret header for that endpoint', AZURE],
  EDGE_KMS_VAULT_KEY_ID: ['mount and key, `transit/app`; chooses Vault or OpenBao', VAULT],
  VAULT_ADDR: ['address of Vault; plain http only on loopback', VAULT],
  VAULT_NAMESPACE: ['namespace', VAULT],
  VAULT_TOKEN: ['token', VAULT],
  VAULT_ROLE_ID: ['AppRole: role id', VAULT],
  VAULT_SECRET_ID: ['AppRole: secret id', VAULT],
  EDGE_KMS_KEY_V1: [
    'local key: base64 of 32 random bytes; chooses the local provider. `_V2`, `_V3`, … are newer versions',
    LOCAL,
  ],
  EDGE_KMS_KEY_RETIRED: ['versions of the local key that no longer wrap, with commas', LOCAL],
  EDGE_KMS_CONFIG: [
    'configuration as JSON; chooses what the JSON says',
    '`anyKmsFromEnv`, `nodeConfigFile`',
  ],
  EDGE_KMS_STORE: ['binding of the Durable Object in which isolates share', GATEWAY],
  EDGE_KMS_PARTITION: ['partition of shared data keys; `edge-kms` by default', GATEWAY],
  EDGE_KMS_STORE_AUTH_KEY: ['key that authenticates the shared store', GATEWAY],
  EDGE_KMS_GATEWAY_HOSTS: ['host names that the gateway answers to, with commas, or `*`', GATEWAY],
  EDGE_KMS_GATEWAY_HOLD_BYTES: [
    'longest request whose answer is held until it is complete',
    GATEWAY,
  ],
  ACTIONS_ID_TOKEN_REQUEST_URL: ['set by GitHub Actions', '`githubActionsToken`'],
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: ['set by GitHub Actions', '`githubActionsToken`'],
  AWS_LAMBDA_INITIALIZATION_TYPE: ['set by Lambda: tells SnapStart', '`edge-kms/lambda`'],
  AWS_LAMBDA_RUNTIME_API: ['set by Lambda', '`edge-kms/lambda`'],
}

/** Parts of names, and names in examples. */
const PARTS = ['EDGE_KMS_', 'EDGE_KMS_KEY', 'AWS_ENDPOINT']
/** Built from a name and an ending. */
const COMPOSED = ['AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE']

/** Returns the variables that string literals of the code name, without comments and the fakes. */
export function variablesInCode() {
  const files = ['src', 'adapters'].flatMap((folder) => filesIn(folder, '.ts'))
  const found = files
    .filter((path) => !path.startsWith('adapters/fakes/') && !path.startsWith('src/testing/'))
    .flatMap((path) => {
      const text = readFileSync(join(root, path), 'utf8')
        .replaceAll(/\/\*.*?\*\//gs, '')
        .replaceAll(/^\s*\/\/.*$/gm, '')
      const name = /'((?:EDGE_KMS|AWS|GOOGLE|GCE|AZURE|IDENTITY|VAULT|ACTIONS)_[A-Z0-9_]*)'/g
      return [...text.matchAll(name)].map(([, one]) => one)
    })
  return new Set([...found.filter((name) => !PARTS.includes(name)), ...COMPOSED])
}

/** @throws Error for a variable of the code that is not in the table, or the other way round */
export function checkVariables() {
  const inCode = variablesInCode()
  const listed = Object.keys(variables)
  const missing = [...inCode].filter((name) => !listed.includes(name))
  const unread = listed.filter((name) => !inCode.has(name))
  if (missing.length > 0) throw new Error(`variables.mjs lacks ${missing.join(', ')}`)
  if (unread.length > 0) throw new Error(`nothing reads ${unread.join(', ')}`)
}
