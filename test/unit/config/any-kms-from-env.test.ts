import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { anyKmsFromEnv } from '../../../src/config/index.ts'
import {
  EncryptedEnvelope,
  isKmsError,
  stackFromEnv,
  type StackFromEnvOptions,
} from '../../../src/index.ts'
import { localKmsFromEnv } from '../../../src/providers/local/index.ts'
import { createFakeAws } from '../../../adapters/fakes/index.ts'
import { turn } from '../../support/fake-world.ts'
import { MemoryKeyValues } from '../../support/memory-key-values.ts'

const key = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64')
const authKey = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64')
const local = { provider: 'local', versions: [{ version: 1, key: { env: 'EDGE_KMS_KEY_V1' } }] }
const store = () => new MemoryKeyValues(() => Date.now())

const envOf = (config: unknown, more: object = {}) => ({
  EDGE_KMS_CONFIG: typeof config === 'string' ? config : JSON.stringify(config),
  EDGE_KMS_KEY_V1: key,
  ...more,
})

function saidOf(env: object, options: Omit<StackFromEnvOptions, 'kms'> = {}): string {
  try {
    return stackFromEnv(env, { kms: anyKmsFromEnv, ...options }).kms.providerName
  } catch (error) {
    if (!isKmsError(error, 'ERR_KMS_CONFIG')) throw error
    const shown = inspect(error, { showHidden: true, depth: 9 })
    for (const value of [key, authKey, 'canary']) expect(shown).not.toContain(value)
    return error.message
  }
}

describe('anyKmsFromEnv', () => {
  it('takes one KMS in EDGE_KMS_CONFIG, and the variables that it refers to', async () => {
    const { cipher } = stackFromEnv(envOf(local), { kms: anyKmsFromEnv, cache: { maxMessages: 3 } })
    expect(await cipher.decryptText(await cipher.encryptText('x'))).toBe('x')
  })

  it('takes a KMS by context, alone and in a stack', async () => {
    const byContext = { provider: 'by-context', kms: { ...local, kekId: 'of-{tenant}' } }
    const options = { context: { tenant: 'acme' } }
    for (const config of [byContext, { kms: byContext }]) {
      const { cipher } = stackFromEnv(envOf(config), { kms: anyKmsFromEnv })
      const text = await cipher.encryptText('x', options)
      expect(EncryptedEnvelope.parse(text).wraps[0]?.kekId).toBe('of-acme')
      expect(await cipher.decryptText(text, options)).toBe('x')
    }
  })

  it('takes a whole stack', async () => {
    const aws = createFakeAws()
    const { accessKeyId, secretAccessKey } = aws.credentials
    const credentials = { type: 'static', accessKeyId, secretAccessKey: { env: 'SECRET' } }
    const both = [local, { provider: 'aws-kms', keyId: aws.createKey().arn, credentials }]
    const config = { preset: 'highAvailability', kms: both, cache: { maxMessages: 1 } }
    const env = envOf(config, { SECRET: secretAccessKey })
    const { cipher } = stackFromEnv(env, { kms: anyKmsFromEnv, network: aws.network })
    const text = await cipher.encryptText('x')
    await cipher.encryptText('x')
    expect(aws.count('Encrypt') + aws.count('GenerateDataKey')).toBe(2)
    expect(
      await stackFromEnv(env, { kms: anyKmsFromEnv, network: aws.network }).cipher.decryptText(
        text,
      ),
    ).toBe('x')
  })

  it('without it takes the vendor whose variable is set, each of them', () => {
    expect(saidOf({ EDGE_KMS_KEY_V1: key })).toBe('local')
    expect(
      saidOf({ EDGE_KMS_GCP_KEY_ID: 'projects/acme/locations/global/keyRings/r/cryptoKeys/k' }),
    ).toBe('gcp-kms')
    expect(saidOf({ EDGE_KMS_AZURE_KEY_ID: 'https://acme.vault.azure.net/keys/app' })).toBe(
      'azure-key-vault',
    )
    expect(
      saidOf({ EDGE_KMS_VAULT_KEY_ID: 'app', VAULT_ADDR: 'https://vault.test', VAULT_TOKEN: 't' }),
    ).toBe('vault-transit')
    expect(
      saidOf({
        EDGE_KMS_AWS_KEY_ID: 'alias/app',
        AWS_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: 'AKID',
        AWS_SECRET_ACCESS_KEY: 's',
      }),
    ).toBe('aws-kms')
  })

  it('is refused beside a variable that it does not refer to, and named beside none', () => {
    const inline = { provider: 'local', versions: [{ version: 1, key }] }
    expect(saidOf(envOf(inline))).toBe(
      'EDGE_KMS_KEY_V1 and EDGE_KMS_CONFIG are both set: remove one of them',
    )
    expect(saidOf({})).toContain('EDGE_KMS_CONFIG')
    expect(saidOf(envOf(local), {})).toBe('local')
  })

  it('a variable that it refers to may have any name, also one that looks misspelt', () => {
    const config = { provider: 'local', versions: [{ version: 1, key: { env: 'EDGE_KMS_KEY' } }] }
    expect(saidOf({ EDGE_KMS_CONFIG: JSON.stringify(config), EDGE_KMS_KEY: key })).toBe('local')
    expect(
      saidOf({ EDGE_KMS_CONFIG: JSON.stringify(local), EDGE_KMS_KEY_V1: key, EDGE_KMS_KEY: key }),
    ).toContain('did you mean')
  })

  it('variables are read at the call, and each by its name', async () => {
    const values: Record<string, string> = envOf(local)
    const env = new Proxy({}, { get: (_, name) => values[String(name)], ownKeys: () => [] })
    const { cipher } = stackFromEnv(env, { kms: anyKmsFromEnv })
    for (const name of Object.keys(values)) Reflect.deleteProperty(values, name)
    await cipher.encryptText('x')
  })

  it.each<[unknown, string]>([
    ['{"canary', 'EDGE_KMS_CONFIG must be JSON, got other text'],
    ['', 'EDGE_KMS_CONFIG is empty'],
    [7, 'EDGE_KMS_CONFIG: the configuration must be an object'],
    [{ ...local, canari: 1 }, 'EDGE_KMS_CONFIG: unknown option: canari'],
    [
      { provider: 'local', versions: [{ version: 1, key: { env: 'NOT_SET' } }] },
      'EDGE_KMS_CONFIG: versions.0.key refers to the variable NOT_SET',
    ],
    [
      { provider: 'local', versions: [{ version: 1, key: { file: '/key' } }] },
      'EDGE_KMS_CONFIG: versions.0.key refers to the file /key',
    ],
    [
      { kms: local, retry: { maxAttempt: 2 } },
      'EDGE_KMS_CONFIG: unknown option: retry.maxAttempt: did you mean maxAttempts?',
    ],
  ])('%j is refused', (config, said) => {
    expect(
      saidOf({ EDGE_KMS_CONFIG: typeof config === 'string' ? config : JSON.stringify(config) }),
    ).toContain(said)
  })

  it('a whole stack says everything itself', () => {
    for (const options of [{ resilience: 'production' }, { cache: {} }] as const)
      expect(saidOf(envOf({ kms: local }), options)).toContain(
        'must be set in the configuration, which describes a whole stack',
      )
  })
})

describe('stores by the names of their bindings', () => {
  const shared = { store: { binding: 'STORE' }, partition: 'p', storeAuthKey: { env: 'AUTH' } }

  it('circuits and data keys are shared in them', async () => {
    const bindings = { STORE: store(), CIRCUITS: store() }
    const config = { kms: local, circuitStore: { binding: 'CIRCUITS' }, shared }
    const stackOf = () =>
      stackFromEnv(envOf(config, { AUTH: authKey }), { kms: anyKmsFromEnv, bindings })
    const [first, second] = [stackOf(), stackOf()]
    await first.cipher.encryptText('x')
    await second.cipher.encryptText('x')
    expect(second.keys.stats().adoptions).toBe(1)
    await turn()
    expect(bindings.CIRCUITS.calls).toContain('get circuit/local/encrypt')
    expect(bindings.STORE.calls.some((one) => one.startsWith('circuit'))).toBe(false)
  })

  it.each<[object, string]>([
    [
      { circuitStore: { binding: 'NONE' } },
      'EDGE_KMS_CONFIG: circuitStore.binding names a store that is not among bindings: bound are STORE',
    ],
    [
      { circuitStore: { binding: 'constructor' } },
      'circuitStore.binding names a store that is not among bindings',
    ],
    [{ circuitStore: { bindng: 'STORE' } }, 'circuitStore'],
    [{ circuitStore: 'STORE' }, 'circuitStore must be'],
    [{ circuitStore: true }, 'circuitStore must be'],
    [
      { circuitStore: { binding: 'STORE' }, circuitBreaker: false },
      'circuitStore requires circuitBreaker',
    ],
    [{ shared: { ...shared, store: { binding: 'NONE' } } }, 'shared.store.binding names a store'],
    [{ shared: { ...shared, storeAuthKey: undefined } }, 'storeAuthKey is missing'],
    [
      { shared: { ...shared, storeAuthKey: { env: 'NOT_SET' } } },
      'shared.storeAuthKey refers to the variable NOT_SET',
    ],
    [
      { shared: { ...shared, storeAuthKey: 'canary' } },
      'storeAuthKey must be 32 random bytes or more',
    ],
    [{ shared: { ...shared, trustedStore: true } }, 'exclude each other'],
    [
      { shared: { ...shared, partition: '' } },
      'shared.partition must be a string of 1 to 255 bytes',
    ],
    [{ shared: { ...shared, leaseMs: 0 } }, 'shared.leaseMs must be at least 1'],
    [{ shared: { ...shared, waitms: 1 } }, 'unknown option: shared.waitms: did you mean waitMs?'],
  ])('%j is refused', (more, said) => {
    const env = envOf({ kms: local, ...more }, { AUTH: authKey })
    expect(saidOf(env, { bindings: { STORE: store() } })).toContain(said)
  })

  it('without bindings, nothing is bound', () => {
    expect(saidOf(envOf({ kms: local, circuitStore: { binding: 'STORE' } }))).toContain(
      'no store is bound',
    )
  })

  it('said in code too is refused, unless the configuration says none', () => {
    const circuitStore = store()
    const bindings = { STORE: store() }
    expect(
      saidOf(envOf({ kms: local, circuitStore: { binding: 'STORE' } }), { circuitStore, bindings }),
    ).toContain('circuitStore must be set in the configuration')
    expect(saidOf(envOf({ kms: local }), { circuitStore, bindings })).toBe('local')
    expect(saidOf(envOf({ kms: local, circuitStore: false, shared: false }))).toBe('local')
  })
})

it('localKmsFromEnv and anyKmsFromEnv say the same of the same key', () => {
  const env = { EDGE_KMS_KEY_V1: key }
  expect(stackFromEnv(env, { kms: anyKmsFromEnv }).kms.providerName).toBe(
    stackFromEnv(env, { kms: localKmsFromEnv }).kms.providerName,
  )
})
