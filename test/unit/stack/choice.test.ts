// Which KMS an environment chooses, and what it says when it cannot.
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import {
  isKmsError,
  type KmsSource,
  stackFromEnv,
  type StackFromEnvOptions,
} from '../../../src/index.ts'
import { awsKmsFromEnv } from '../../../src/providers/aws-kms/index.ts'
import { azureKmsFromEnv } from '../../../src/providers/azure-key-vault/index.ts'
import { gcpKmsFromEnv } from '../../../src/providers/gcp-kms/index.ts'
import { localKmsFromEnv } from '../../../src/providers/local/index.ts'
import { vaultKmsFromEnv } from '../../../src/providers/vault-transit/index.ts'
import { ScriptedKms } from '../../support/scripted-kms.ts'

const CANARY = 'canary'
const guid = '72f0a1c4-0000-4000-8000-000000000001'
const key = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64')
const all = [awsKmsFromEnv, gcpKmsFromEnv, azureKmsFromEnv, vaultKmsFromEnv, localKmsFromEnv]

/** Whole environments, one for each vendor. */
const ENVS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'aws-kms': {
    EDGE_KMS_AWS_KEY_ID:
      'arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
    AWS_ACCESS_KEY_ID: `AKID${CANARY}`,
    AWS_SECRET_ACCESS_KEY: CANARY,
    AWS_SESSION_TOKEN: CANARY,
  },
  'gcp-kms': { EDGE_KMS_GCP_KEY_ID: 'projects/acme/locations/global/keyRings/ring/cryptoKeys/app' },
  'azure-key-vault': {
    EDGE_KMS_AZURE_KEY_ID: 'https://acme.vault.azure.net/keys/app',
    AZURE_TENANT_ID: guid,
    AZURE_CLIENT_ID: guid,
    AZURE_CLIENT_SECRET: CANARY,
  },
  'vault-transit': {
    EDGE_KMS_VAULT_KEY_ID: 'transit/app',
    VAULT_ADDR: 'https://vault.test:8200',
    VAULT_TOKEN: CANARY,
  },
  local: { EDGE_KMS_KEY_V1: key },
}
const vendors = Object.keys(ENVS)
const envOf = (vendor: string): Readonly<Record<string, string>> => ENVS[vendor] ?? {}
const keyOf = (vendor: string): string => Object.keys(envOf(vendor))[0] ?? ''

/** Returns the provider or the message for an environment, and checks that the message holds none of its values. */
function saidOf(env: object, kms: StackFromEnvOptions['kms'] = all, more: object = {}): string {
  try {
    return stackFromEnv(env, { kms, ...more }).kms.providerName
  } catch (error) {
    if (!isKmsError(error, 'ERR_KMS_CONFIG')) throw error
    const shown = inspect(error, { showHidden: true, depth: 9 })
    for (const value of [CANARY, key, 'acme', 'vault.test']) expect(shown).not.toContain(value)
    return error.message
  }
}

describe('the variable that is set chooses the vendor', () => {
  it.each(vendors)('%s, of all and alone', (vendor) => {
    expect(saidOf(envOf(vendor))).toBe(vendor)
    const source = all.find(({ variables }) => variables.includes(keyOf(vendor))) as KmsSource
    expect(saidOf(envOf(vendor), source)).toBe(vendor)
    expect(saidOf(envOf(vendor), [source])).toBe(vendor)
  })

  it('credentials of a vendor alone choose nothing, and all variables that could are named', () => {
    const ambient = Object.assign({}, ...Object.values(ENVS)) as Record<string, string>
    for (const name of Object.keys(ambient))
      if (name.startsWith('EDGE_KMS_')) Reflect.deleteProperty(ambient, name)
    expect(saidOf(ambient)).toBe(
      'no key is set or readable: set EDGE_KMS_AWS_KEY_ID or EDGE_KMS_GCP_KEY_ID or EDGE_KMS_AZURE_KEY_ID or EDGE_KMS_VAULT_KEY_ID or EDGE_KMS_KEY_V1',
    )
    expect(saidOf(ambient, gcpKmsFromEnv)).toBe(
      'no key is set or readable: set EDGE_KMS_GCP_KEY_ID',
    )
  })

  it('credentials of another vendor beside it change nothing', () => {
    const { EDGE_KMS_AWS_KEY_ID: _key, ...ambient } = envOf('aws-kms')
    expect(saidOf({ ...ambient, ...envOf('local') })).toBe('local')
  })

  const pairs = vendors.flatMap((a, i) => vendors.slice(i + 1).map((b) => [a, b] as const))
  it.each(pairs)('%s and %s are refused by name, whatever kms has', (a, b) => {
    for (const kms of [all, awsKmsFromEnv, localKmsFromEnv]) {
      const said = saidOf({ ...envOf(a), ...envOf(b) }, kms)
      expect(said).toMatch(/are both set: remove one of them$/)
      expect(said).toContain(keyOf(a))
      expect(said).toContain(keyOf(b))
    }
  })

  it('one that is set and has no source is named with what to import', () => {
    expect(saidOf(envOf('local'), awsKmsFromEnv)).toBe(
      'EDGE_KMS_KEY_V1 is set, and kms has no source for it: add localKmsFromEnv of edge-kms/local',
    )
    expect(saidOf({ EDGE_KMS_CONFIG: '{}' })).toContain('add anyKmsFromEnv of edge-kms/config')
  })

  it('a function of your own is used where it is alone, and only with variables among others', () => {
    const own: KmsSource = () => new ScriptedKms('own')
    expect(saidOf({}, own)).toBe('own')
    expect(saidOf({}, [own, awsKmsFromEnv])).toContain('must have variables')
    const named = Object.assign(() => new ScriptedKms('own'), {
      variables: ['EDGE_KMS_AWS_KEY_ID'],
    })
    expect(saidOf(envOf('aws-kms'), [named, localKmsFromEnv])).toBe('own')
  })
})

describe('a variable that is wrong is named', () => {
  const everywhere = vendors.flatMap((vendor) =>
    Object.keys(envOf(vendor)).map((name) => [vendor, name] as const),
  )
  it.each(everywhere)('%s: %s is empty', (vendor, name) => {
    for (const empty of ['', ' \n'])
      expect(saidOf({ ...envOf(vendor), [name]: empty })).toBe(
        `${name} is empty: set it, or remove it`,
      )
  })

  it.each(everywhere)('%s: %s is a number', (vendor, name) => {
    expect(saidOf({ ...envOf(vendor), [name]: 7 })).toBe(`${name} must be a string, got a number`)
  })

  it.each([
    ['EDGE_KMS_AWS_KEY', 'EDGE_KMS_AWS_KEY_ID'],
    ['EDGE_KMS_AWS_KEYID', 'EDGE_KMS_AWS_KEY_ID'],
    ['EDGE_KMS_GCP_KEY', 'EDGE_KMS_GCP_KEY_ID'],
    ['EDGE_KMS_AZURE_KEY', 'EDGE_KMS_AZURE_KEY_ID'],
    ['EDGE_KMS_VALT_KEY_ID', 'EDGE_KMS_VAULT_KEY_ID'],
    ['EDGE_KMS_KEY', 'EDGE_KMS_KEY_V1'],
    ['EDGE_KMS_KEY_1', 'EDGE_KMS_KEY_V1'],
    ['EDGE_KMS_KEY_V01', 'EDGE_KMS_KEY_V1'],
    ['EDGE_KMS_CONFG', 'EDGE_KMS_CONFIG'],
  ])('%s is misspelt: did you mean %s, though another key is set', (wrong, right) => {
    for (const env of [{}, envOf('local'), envOf('aws-kms')])
      expect(saidOf({ ...env, [wrong]: CANARY })).toBe(
        `unknown variable: ${wrong}: did you mean ${right}?`,
      )
  })

  it.each([
    'EDGE_KMS_STACK',
    'EDGE_KMS_GATEWAY_HOSTS',
    'EDGE_KMS_AWS_ENDPOINT_X',
    'MY_EDGE_KMS_AWS_KEY',
    'EDGE_KMS_LOG_LEVEL',
  ])('%s is none of ours, or belongs to another part', (name) => {
    const env = { ...envOf('local'), [name]: 'x' }
    if (name === 'EDGE_KMS_AWS_ENDPOINT_X') expect(saidOf(env)).toContain('EDGE_KMS_AWS_ENDPOINT')
    else expect(saidOf(env)).toBe('local')
  })

  it.each<[string, Readonly<Record<string, string | undefined>>, string]>([
    ['aws-kms', { EDGE_KMS_AWS_KEY_ID: CANARY }, 'EDGE_KMS_AWS_KEY_ID'],
    ['aws-kms', { EDGE_KMS_AWS_KEY_ID: 'alias/app' }, 'AWS_REGION is not set'],
    [
      'aws-kms',
      { EDGE_KMS_AWS_KEY_ID: 'alias/app', AWS_REGION: `${CANARY} ` },
      'EDGE_KMS_AWS_KEY_ID',
    ],
    [
      'aws-kms',
      { EDGE_KMS_AWS_ENDPOINT: `http://${CANARY}.test` },
      'EDGE_KMS_AWS_ENDPOINT: an endpoint must be https',
    ],
    ['aws-kms', { AWS_USE_FIPS_ENDPOINT: CANARY }, 'AWS_USE_FIPS_ENDPOINT must be true or false'],
    [
      'aws-kms',
      { AWS_SECRET_ACCESS_KEY: undefined },
      'AWS_SECRET_ACCESS_KEY is not set or not readable',
    ],
    ['aws-kms', { AWS_ACCESS_KEY_ID: undefined }, 'AWS_ACCESS_KEY_ID is not set or not readable'],
    [
      'aws-kms',
      { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined },
      'no AWS credentials are set',
    ],
    ['gcp-kms', { EDGE_KMS_GCP_KEY_ID: CANARY }, 'EDGE_KMS_GCP_KEY_ID: keyName'],
    [
      'gcp-kms',
      { GOOGLE_APPLICATION_CREDENTIALS: `{"${CANARY}":1}` },
      'GOOGLE_APPLICATION_CREDENTIALS: type must be',
    ],
    [
      'gcp-kms',
      { GOOGLE_APPLICATION_CREDENTIALS: `{${CANARY}` },
      'GOOGLE_APPLICATION_CREDENTIALS: the credentials must be a JSON object',
    ],
    [
      'gcp-kms',
      { GOOGLE_APPLICATION_CREDENTIALS: `{"type":"service_account","private_key":"${CANARY}"}` },
      'GOOGLE_APPLICATION_CREDENTIALS: key must be',
    ],
    [
      'gcp-kms',
      { GOOGLE_APPLICATION_CREDENTIALS: `/${CANARY}.json` },
      'GOOGLE_APPLICATION_CREDENTIALS names a file: give readTextFile',
    ],
    ['gcp-kms', { GCE_METADATA_HOST: `${CANARY}.test` }, 'GCE_METADATA_HOST: host must be'],
    ['azure-key-vault', { EDGE_KMS_AZURE_KEY_ID: CANARY }, 'EDGE_KMS_AZURE_KEY_ID'],
    [
      'azure-key-vault',
      { EDGE_KMS_AZURE_KEY_ID: `https://${CANARY}.test/keys/app` },
      'EDGE_KMS_AZURE_KEY_ID: keyId is at …',
    ],
    [
      'azure-key-vault',
      { AZURE_TENANT_ID: undefined },
      'AZURE_TENANT_ID is not set or not readable: AZURE_CLIENT_SECRET needs it',
    ],
    ['azure-key-vault', { AZURE_CLIENT_ID: CANARY }, 'clientId must be a GUID'],
    [
      'azure-key-vault',
      { AZURE_CLIENT_SECRET: undefined, IDENTITY_ENDPOINT: 'http://127.0.0.1:41' },
      'IDENTITY_HEADER is not set',
    ],
    [
      'vault-transit',
      { EDGE_KMS_VAULT_KEY_ID: `${CANARY}/../app` },
      'EDGE_KMS_VAULT_KEY_ID: mount must be',
    ],
    ['vault-transit', { EDGE_KMS_VAULT_KEY_ID: `transit/` }, 'EDGE_KMS_VAULT_KEY_ID: key must be'],
    [
      'vault-transit',
      { VAULT_ADDR: undefined },
      'VAULT_ADDR is not set or not readable: EDGE_KMS_VAULT_KEY_ID needs it',
    ],
    [
      'vault-transit',
      { VAULT_ADDR: `http://${CANARY}.test` },
      'VAULT_ADDR: an endpoint must be https',
    ],
    ['vault-transit', { VAULT_TOKEN: `${CANARY} \u00e9` }, 'VAULT_TOKEN: token must be'],
    ['vault-transit', { VAULT_TOKEN: undefined }, 'no login to Vault is set'],
    ['local', { EDGE_KMS_KEY_V1: CANARY }, 'EDGE_KMS_KEY_V'],
    ['local', { EDGE_KMS_KEY_RETIRED: CANARY }, 'EDGE_KMS_KEY_RETIRED'],
    ['local', { EDGE_KMS_KEY_V1: undefined, EDGE_KMS_KEY_RETIRED: '1' }, 'no key is set'],
  ])('%s with %j', (vendor, change, said) => {
    expect(saidOf({ ...envOf(vendor), ...change })).toContain(said)
  })

  it.each([
    [
      'aws-kms',
      {
        AWS_ACCESS_KEY_ID: undefined,
        AWS_SECRET_ACCESS_KEY: undefined,
        AWS_WEB_IDENTITY_TOKEN_FILE: '/canary',
      },
      'AWS_WEB_IDENTITY_TOKEN_FILE',
    ],
    [
      'azure-key-vault',
      { AZURE_CLIENT_SECRET: undefined, AZURE_FEDERATED_TOKEN_FILE: '/canary' },
      'AZURE_FEDERATED_TOKEN_FILE',
    ],
    [
      'azure-key-vault',
      { AZURE_CLIENT_SECRET: undefined, AZURE_CLIENT_CERTIFICATE_PATH: '/canary' },
      'AZURE_CLIENT_CERTIFICATE_PATH',
    ],
  ] as const)('%s with a file and nothing that reads it', (vendor, change, name) => {
    expect(saidOf({ ...envOf(vendor), ...change })).toBe(
      `${name} names a file: give readTextFile, which reads one`,
    )
  })
})

describe('environments', () => {
  it('bindings in them are ignored, whatever their names', () => {
    const binding = { idFromName: () => ({}), get: () => ({}) }
    const env = {
      ...envOf('local'),
      EDGE_KMS_STORE: binding,
      EDGE_KMS_AWS_KEY_ID: binding,
      EDGE_KMS_AWS_KEY: binding,
      AWS_REGION: () => 'x',
    }
    expect(saidOf(env)).toBe('local')
  })

  it('an interface is one, without a cast', () => {
    interface Env {
      readonly EDGE_KMS_KEY_V1: string
      readonly STORE: { fetch(): void }
    }
    const env: Env = { EDGE_KMS_KEY_V1: key, STORE: { fetch: () => undefined } }
    expect(stackFromEnv(env, { kms: localKmsFromEnv }).kms.providerName).toBe('local')
  })

  it.each([undefined, null, 'EDGE_KMS_KEY_V1', 7])('%j is refused', (env) => {
    expect(saidOf(env as unknown as object)).toContain('env must be an object with the variables')
  })

  it('is read at the call alone', async () => {
    const env: Record<string, string> = { ...envOf('local') }
    const { cipher } = stackFromEnv(env, { kms: localKmsFromEnv })
    for (const name of Object.keys(env)) Reflect.deleteProperty(env, name)
    expect(await cipher.decryptText(await cipher.encryptText('hello'))).toBe('hello')
  })

  // As `Deno.env.get` does without --allow-env, and with it for some names.
  it.each(vendors)(
    '%s: variables that may not be read count as not set; those that may suffice',
    (vendor) => {
      const permitted = envOf(vendor)
      const read: string[] = []
      const denied = (name: string): never => {
        throw Object.assign(new Error(`Requires env access to "${name}"`), { name: 'NotCapable' })
      }
      const env = new Proxy(
        {},
        {
          get: (_, name) => {
            read.push(String(name))
            return permitted[String(name)] ?? denied(String(name))
          },
          ownKeys: () => denied('all'),
          has: () => denied('all'),
        },
      )
      expect(saidOf(env)).toBe(vendor)
      expect(read.every((name) => /^[A-Z][A-Z0-9_]+$/.test(name))).toBe(true)
      const nothing = new Proxy(
        {},
        { get: (_, name) => denied(String(name)), ownKeys: () => denied('all') },
      )
      expect(saidOf(nothing)).toContain('no key is set or readable')
    },
  )
})
