import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { stackOnDeno } from '../../../adapters/deno/index.ts'
import { createFakeAws } from '../../../adapters/fakes/index.ts'
import { anyKmsFromEnv } from '../../../src/config/index.ts'
import type { StackFromEnvOptions } from '../../../src/index.ts'
import { awsKmsFromEnv } from '../../../src/providers/aws-kms/index.ts'
import { azureKmsFromEnv } from '../../../src/providers/azure-key-vault/index.ts'
import { gcpKmsFromEnv } from '../../../src/providers/gcp-kms/index.ts'
import { localKmsFromEnv } from '../../../src/providers/local/index.ts'
import { vaultKmsFromEnv } from '../../../src/providers/vault-transit/index.ts'
import { notCapable, stubDeno } from './support.ts'

const ARN = 'arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'
const GCP_KEY = 'projects/acme/locations/global/keyRings/app/cryptoKeys/main'
const AZURE_KEY = 'https://acme.vault.azure.net/keys/app'
const options = { context: { tenant: 'acme' } }
const fetched = vi.fn<typeof fetch>()

beforeEach(() => {
  vi.stubGlobal('fetch', fetched)
})
afterEach(() => {
  fetched.mockReset()
  vi.unstubAllGlobals()
})

function refusal(
  kms: StackFromEnvOptions['kms'],
  variables: Readonly<Record<string, string>>,
  permitted?: readonly string[],
): string {
  stubDeno(variables, permitted)
  try {
    stackOnDeno({ kms })
  } catch (error) {
    return `${String(Object(error).code)} ${(error as Error).message}`
  }
  return 'no error'
}

describe('a variable that may not be read is named, with its flag', () => {
  it.each([
    ['the key', [localKmsFromEnv, awsKmsFromEnv], {}, 'EDGE_KMS_AWS_KEY_ID'],
    ['the access keys', awsKmsFromEnv, { EDGE_KMS_AWS_KEY_ID: ARN }, 'AWS_ACCESS_KEY_ID'],
    [
      'the role of a web identity',
      awsKmsFromEnv,
      { EDGE_KMS_AWS_KEY_ID: ARN, AWS_WEB_IDENTITY_TOKEN_FILE: 'token.jwt' },
      'AWS_ROLE_ARN',
    ],
    [
      'the login to Vault',
      vaultKmsFromEnv,
      { EDGE_KMS_VAULT_KEY_ID: 'transit/app', VAULT_ADDR: 'https://vault.example.com' },
      'VAULT_TOKEN',
    ],
    [
      'a variable of the configuration',
      anyKmsFromEnv,
      {
        EDGE_KMS_CONFIG: JSON.stringify({
          provider: 'local',
          versions: [{ version: 1, key: { env: 'APP_KEY' } }],
        }),
      },
      'APP_KEY',
    ],
  ])('%s', (_, kms, variables, missing) => {
    const said = refusal(kms, variables)
    expect(said).toMatch(/^ERR_KMS_CONFIG /)
    expect(said).toMatch(
      new RegExp(`Deno may not read \\S*${missing}\\b.*--allow-env=\\S*${missing}\\b`),
    )
  })
})

describe('the identity of the machine is not used in place of credentials that may not be read', () => {
  it.each([
    ['Google', gcpKmsFromEnv, { EDGE_KMS_GCP_KEY_ID: GCP_KEY }, ['GOOGLE_APPLICATION_CREDENTIALS']],
    [
      'Azure',
      azureKmsFromEnv,
      { EDGE_KMS_AZURE_KEY_ID: AZURE_KEY },
      [
        'AZURE_CLIENT_SECRET',
        'AZURE_CLIENT_CERTIFICATE_PATH',
        'AZURE_FEDERATED_TOKEN_FILE',
        'IDENTITY_ENDPOINT',
      ],
    ],
  ])('%s', (_, kms, variables, proofs) => {
    const said = refusal(kms, variables)
    expect(said).toContain(
      `; Deno may not read ${proofs.join()}: start it with --allow-env=${proofs.join()}`,
    )
    expect(refusal(kms, variables, [...Object.keys(variables), ...proofs])).toBe('no error')
  })
})

describe('stackOnDeno', () => {
  const awsOf = (fake: ReturnType<typeof createFakeAws>) => {
    const { accessKeyId, secretAccessKey } = fake.credentials
    return {
      EDGE_KMS_AWS_KEY_ID: fake.createKey().arn,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    }
  }

  it('names the host that Deno may not reach, and does not try again', async () => {
    stubDeno(awsOf(createFakeAws()))
    fetched.mockRejectedValue(notCapable('Requires net access'))
    const { cipher } = stackOnDeno({ kms: awsKmsFromEnv })
    await expect(cipher.encryptText('text', options)).rejects.toMatchObject({
      code: 'ERR_KMS_CONFIG',
      message: expect.stringContaining('--allow-net=kms.us-east-1.amazonaws.com:443'),
    })
    expect(fetched).toHaveBeenCalledTimes(1)
  })

  it('takes undefined for an option that was not given', async () => {
    stubDeno(awsOf(createFakeAws()))
    fetched.mockRejectedValue(notCapable('Requires net access'))
    const given = { network: undefined, fetch: undefined, readTextFile: undefined }
    const { cipher } = stackOnDeno({ kms: awsKmsFromEnv, ...given })
    await expect(cipher.encryptText('text', options)).rejects.toThrow('--allow-net=kms')
    const file = { EDGE_KMS_GCP_KEY_ID: GCP_KEY, GOOGLE_APPLICATION_CREDENTIALS: 'key.json' }
    stubDeno(file, undefined, { readTextFile: () => Promise.reject(notCapable('denied')) })
    const stack = stackOnDeno({ kms: gcpKmsFromEnv, ...given })
    await expect(stack.cipher.encryptText('text', options)).rejects.toThrow('--allow-read=')
  })

  it('takes other failures of the network for outages', async () => {
    stubDeno(awsOf(createFakeAws()))
    fetched.mockRejectedValue(new TypeError('connection refused'))
    const { cipher } = stackOnDeno({ kms: awsKmsFromEnv, resilience: 'development' })
    const work = cipher.encryptText('text', options)
    await expect(work).rejects.toMatchObject({ code: 'ERR_KMS_UNAVAILABLE' })
  })

  it.each(['network', 'fetch'] as const)('sends by another %s that is given', async (name) => {
    const fake = createFakeAws()
    stubDeno(awsOf(fake))
    const given = { network: fake.network, fetch: fake.network.fetch.bind(fake.network) }
    const { cipher } = stackOnDeno({ kms: awsKmsFromEnv, [name]: given[name] })
    const text = await cipher.encryptText('text', options)
    expect(await cipher.decryptText(text, options)).toBe('text')
    expect(fetched).not.toHaveBeenCalled()
  })

  it('names the file that Deno may not read', async () => {
    const variables = {
      EDGE_KMS_AWS_KEY_ID: ARN,
      AWS_WEB_IDENTITY_TOKEN_FILE: 'token.jwt',
      AWS_ROLE_ARN: 'arn:aws:iam::111122223333:role/deno-app',
    }
    const denied = notCapable('Requires read access')
    stubDeno(variables, undefined, { readTextFile: () => Promise.reject(denied) })
    const { cipher } = stackOnDeno({ kms: awsKmsFromEnv })
    const work = cipher.encryptText('text', options)
    await expect(work).rejects.toMatchObject({
      code: 'ERR_KMS_CONFIG',
      message: expect.stringContaining('--allow-read=$AWS_WEB_IDENTITY_TOKEN_FILE'),
    })
  })
})
