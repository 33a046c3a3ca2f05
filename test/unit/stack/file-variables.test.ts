// A variable that must name a file often holds the secret itself: no error repeats it.
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type KmsSource, stackFromEnv } from '../../../src/index.ts'
import { awsKmsFromEnv } from '../../../src/providers/aws-kms/index.ts'
import { azureKmsFromEnv } from '../../../src/providers/azure-key-vault/index.ts'
import { gcpKmsFromEnv } from '../../../src/providers/gcp-kms/index.ts'
import { nodePlatform } from '../../../adapters/node/index.ts'
import { stackOnDeno } from '../../../adapters/deno/index.ts'
import { notCapable, stubDeno } from '../deno/support.ts'

const SECRET = 'ew0KICAicHJpdmF0ZV9rZXkiOiAi'

const VENDORS: readonly [name: string, kms: KmsSource, env: Readonly<Record<string, string>>][] = [
  [
    'GOOGLE_APPLICATION_CREDENTIALS',
    gcpKmsFromEnv,
    { EDGE_KMS_GCP_KEY_ID: 'projects/p/locations/l/keyRings/r/cryptoKeys/k' },
  ],
  [
    'AZURE_CLIENT_CERTIFICATE_PATH',
    azureKmsFromEnv,
    {
      EDGE_KMS_AZURE_KEY_ID: 'https://acme.vault.azure.net/keys/app',
      AZURE_TENANT_ID: '72f0a1c4-0000-4000-8000-000000000001',
      AZURE_CLIENT_ID: '72f0a1c4-0000-4000-8000-000000000002',
    },
  ],
  [
    'AWS_WEB_IDENTITY_TOKEN_FILE',
    awsKmsFromEnv,
    {
      EDGE_KMS_AWS_KEY_ID:
        'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
      AWS_ROLE_ARN: 'arn:aws:iam::111122223333:role/app',
    },
  ],
]

afterEach(() => {
  vi.unstubAllGlobals()
})

const failureOf = (work: Promise<unknown>): Promise<Error> =>
  work.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: unknown) => error as Error,
  )

describe.each(VENDORS)('a secret in %s instead of a path', (name, kms, variables) => {
  const env = { ...variables, [name]: SECRET }

  it('is not in the error on Node, which names the variable and is not retried', async () => {
    const { network, readTextFile } = nodePlatform()
    const { cipher } = stackFromEnv(env, { kms, network, readTextFile, resilience: 'development' })
    const error = await failureOf(cipher.encryptText('text'))
    expect(error).toMatchObject({
      code: 'ERR_KMS_CONFIG',
      message: expect.stringContaining(name),
      retryable: false,
    })
    expect(textOf(error)).not.toContain(SECRET)
  })

  it.each([
    ['may not be read', notCapable('denied'), `--allow-read=$${name}`],
    [
      'does not exist',
      Object.assign(new Error(SECRET), { name: 'NotFound' }),
      `$${name} cannot be read`,
    ],
  ])('is not in the error on Deno, where the file %s', async (_, thrown, told) => {
    stubDeno(env, undefined, { readTextFile: () => Promise.reject(thrown) })
    const { cipher } = stackOnDeno({ kms, resilience: 'development' })
    const error = await failureOf(cipher.encryptText('text'))
    expect(error).toMatchObject({ code: 'ERR_KMS_CONFIG', message: expect.stringContaining(told) })
    expect(textOf(error)).not.toContain(SECRET)
  })
})

/** The error with all its causes, as a log has it. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return ''
  return `${error.message} ${String(error.stack)} ${JSON.stringify(error)} ${textOf(error.cause)}`
}
