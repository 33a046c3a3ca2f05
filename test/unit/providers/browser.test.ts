/** Providers that hold credentials, in a browser. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createGoogleCloudKms } from '../../../adapters/google-cloud-kms/index.ts'
import { createKms, createResilientKms } from '../../../src/config/index.ts'
import { isKmsError, stackFromEnv } from '../../../src/index.ts'
import { awsKmsFromEnv, createAwsKms } from '../../../src/providers/aws-kms/index.ts'
import {
  azureKmsFromEnv,
  createAzureKeyVaultKms,
} from '../../../src/providers/azure-key-vault/index.ts'
import { createGcpKms, gcpKmsFromEnv } from '../../../src/providers/gcp-kms/index.ts'
import {
  createLocalKms,
  EnvKeyProvider,
  localKmsFromEnv,
} from '../../../src/providers/local/index.ts'
import {
  createVaultTransitKms,
  vaultKmsFromEnv,
  vaultToken,
} from '../../../src/providers/vault-transit/index.ts'

interface Rule {
  readonly dangerouslyAllowBrowser?: boolean
}

const SECRET = 'kY7-canary-0001'
const awsKeyId = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'
const aws = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: SECRET }
const keyName = 'projects/acme-prod/locations/europe-west3/keyRings/app/cryptoKeys/data'
const azureKeyId = 'https://acme.vault.azure.net/keys/app'
const endpoint = 'https://vault.example.com:8200'
const local = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))))
const token = () => Promise.resolve({ token: SECRET, expiresAtMs: Date.now() + 3_600_000 })
const call = (): Promise<never> => Promise.reject(new Error('not called'))
const client = {
  encrypt: call,
  decrypt: call,
  getCryptoKey: call,
  getCryptoKeyVersion: call,
  createCryptoKeyVersion: call,
  updateCryptoKeyPrimaryVersion: call,
  generateRandomBytes: call,
}
const awsEnv = {
  EDGE_KMS_AWS_KEY_ID: awsKeyId,
  AWS_ACCESS_KEY_ID: aws.accessKeyId,
  AWS_SECRET_ACCESS_KEY: SECRET,
}

/** Each way to a provider that holds credentials. */
const makers: Readonly<Record<string, (rule: Rule) => unknown>> = {
  createAwsKms: (rule) => createAwsKms({ keyId: awsKeyId, credentials: aws, ...rule }),
  createGcpKms: (rule) => createGcpKms({ keyName, credentials: token, ...rule }),
  createAzureKeyVaultKms: (rule) =>
    createAzureKeyVaultKms({ keyId: azureKeyId, credentials: token, ...rule }),
  createVaultTransitKms: (rule) =>
    createVaultTransitKms({ endpoint, key: 'app', auth: vaultToken(SECRET), ...rule }),
  createGoogleCloudKms: (rule) => createGoogleCloudKms({ keyName, client, ...rule }),
  EnvKeyProvider: (rule) => new EnvKeyProvider({ EDGE_KMS_KEY_V1: local }, rule),
  awsKmsFromEnv: (rule) => awsKmsFromEnv(awsEnv, rule),
  gcpKmsFromEnv: (rule) =>
    gcpKmsFromEnv({ EDGE_KMS_GCP_KEY_ID: keyName }, { credentials: token, ...rule }),
  azureKmsFromEnv: (rule) =>
    azureKmsFromEnv({ EDGE_KMS_AZURE_KEY_ID: azureKeyId }, { credentials: token, ...rule }),
  vaultKmsFromEnv: (rule) =>
    vaultKmsFromEnv(
      { EDGE_KMS_VAULT_KEY_ID: 'transit/app', VAULT_ADDR: endpoint, VAULT_TOKEN: SECRET },
      rule,
    ),
  localKmsFromEnv: (rule) => localKmsFromEnv({ EDGE_KMS_KEY_V1: local }, rule),
  stackFromEnv: (rule) =>
    stackFromEnv(awsEnv, {
      kms: Object.assign((env: object) => awsKmsFromEnv(env, rule), awsKmsFromEnv),
    }),
  'createKms, aws-kms': (rule) =>
    createKms({
      provider: 'aws-kms',
      keyId: awsKeyId,
      credentials: { type: 'static', ...aws },
      ...rule,
    }),
  'createKms, gcp-kms': (rule) =>
    createKms({
      provider: 'gcp-kms',
      keyName,
      credentials: { type: 'metadata-server' },
      ...rule,
    }),
  'createKms, azure-key-vault': (rule) =>
    createKms({
      provider: 'azure-key-vault',
      keyId: azureKeyId,
      credentials: { type: 'managed-identity' },
      ...rule,
    }),
  'createKms, vault-transit': (rule) =>
    createKms({
      provider: 'vault-transit',
      endpoint,
      key: 'app',
      auth: { type: 'token', token: SECRET },
      ...rule,
    }),
  'createKms, env': (rule) =>
    createKms(
      { provider: 'env', ...rule },
      { resolve: (to) => ('env' in to && to.env === 'EDGE_KMS_KEY_V1' ? local : undefined) },
    ),
  createResilientKms: (rule) =>
    createResilientKms({
      kms: [
        {
          provider: 'vault-transit',
          endpoint,
          key: 'app',
          auth: { type: 'token', token: SECRET },
          ...rule,
        },
      ],
    } as never),
}

/** The globals by which a browser shows. */
const browsers: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'a page': { window: globalThis, document: {} },
  'a worker of a browser': { importScripts: () => undefined },
  "jsdom, or a window of Electron, in Node's process": {
    window: globalThis,
    document: {},
    process,
  },
}

/** Platforms that have some of these globals and are servers. */
const servers: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  Node: {},
  'a Worker of Cloudflare or Deno': {
    WorkerGlobalScope: () => undefined,
    self: globalThis,
    navigator: { userAgent: 'x' },
  },
  'a server on which a library made window': { window: globalThis },
  'a server on which a library made document': { document: {} },
  'a server that made them undefined': {
    window: undefined,
    document: undefined,
    importScripts: undefined,
  },
}

function within(globals: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(globals)) vi.stubGlobal(name, value)
}

function thrownBy(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  return undefined
}

afterEach(() => vi.unstubAllGlobals())

describe.each(Object.entries(browsers))('in %s', (_name, globals) => {
  it.each(Object.entries(makers))('%s refuses credentials and names the option', (_maker, make) => {
    within(globals)
    for (const rule of [{}, { dangerouslyAllowBrowser: false }]) {
      const error = thrownBy(() => make(rule))
      expect(isKmsError(error, 'ERR_KMS_CONFIG') && error.message).toMatch(
        /dangerouslyAllowBrowser must be true to use credentials in a browser/,
      )
      expect(JSON.stringify(error)).not.toContain(SECRET)
    }
  })

  it.each(Object.entries(makers))('%s works once it is allowed', (_maker, make) => {
    within(globals)
    expect(thrownBy(() => make({ dangerouslyAllowBrowser: true }))).toBeUndefined()
  })

  it("createLocalKms takes a key of the page's own", () => {
    within(globals)
    expect(
      thrownBy(() => createLocalKms({ versions: [{ version: 1, key: local }] })),
    ).toBeUndefined()
  })
})

describe.each(Object.entries(servers))('on %s', (_name, globals) => {
  it.each(Object.entries(makers))('%s takes credentials', (_maker, make) => {
    within(globals)
    expect(thrownBy(() => make({}))).toBeUndefined()
  })
})

it.each(Object.entries(makers))('%s refuses a flag of another kind', (_maker, make) => {
  for (const wrong of ['true', 1, null]) {
    const error = thrownBy(() => make({ dangerouslyAllowBrowser: wrong } as never))
    expect(isKmsError(error, 'ERR_KMS_CONFIG')).toBe(true)
  }
})
