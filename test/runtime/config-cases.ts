import type { KmsConfig } from 'edge-kms/config'
import type { Library, RuntimeCase } from './suite.ts'

function check(condition: boolean, what: string): void {
  if (!condition) throw new Error(what)
}

/** `createKms` on this runtime: its check of the configuration must need no `eval`. */
export function configCases({ core, config, local, testing }: Library): readonly RuntimeCase[] {
  return [
    {
      name: 'R33 config: a KMS from JSON encrypts, with a secret by reference',
      run: async () => {
        const fake = testing.createFakeAzure()
        const { clientSecret, ...application } = fake.credentials
        const text = JSON.stringify({
          provider: 'azure-key-vault',
          keyId: fake.createKey(),
          timeoutMs: 60_000,
          credentials: {
            type: 'client-secret',
            ...application,
            clientSecret: { env: 'AZURE_CLIENT_SECRET' },
          },
        })
        const kms = config.createKms(JSON.parse(text) as KmsConfig, {
          network: fake.network,
          resolve: () => clientSecret,
        })
        const sealed = await new core.EnvelopeCipher({ kms }).encryptText('hello')
        const opened = await new core.EnvelopeCipher({ kms }).decryptText(sealed)
        check(opened === 'hello', opened)
      },
    },
    {
      name: 'R33 config: a stack from single variables, of which only some may be read',
      run: async () => {
        const key = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))))
        const env = new Proxy(
          {},
          {
            get: (_, name) => {
              if (name === 'EDGE_KMS_KEY_V1') return key
              throw new Error('this variable may not be read')
            },
            ownKeys: () => [],
          },
        )
        for (const kms of [local.localKmsFromEnv, config.anyKmsFromEnv]) {
          const { cipher } = core.stackFromEnv(env, { kms })
          const opened = await cipher.decryptText(await cipher.encryptText('hello'))
          check(opened === 'hello', opened)
        }
      },
    },
    {
      name: 'R33 config: what is wrong is named by its path, without its value',
      run: () => {
        const wrong = {
          provider: 'aws-kms',
          keyId: 'alias/a',
          credentials: { type: 'statik', x: 'canary' },
        }
        let said = 'no error'
        try {
          config.createKms(wrong as unknown as KmsConfig)
        } catch (error) {
          said = core.isKmsError(error, 'ERR_KMS_CONFIG') ? error.message : String(error)
        }
        const types = 'static, container, web-identity, assume-role'
        const right = `credentials.type must be one of ${types}, got a string: did you mean static?`
        check(said === right, said)
        return Promise.resolve()
      },
    },
  ]
}
