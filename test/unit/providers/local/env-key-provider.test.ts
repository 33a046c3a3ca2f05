import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { isKmsError, type KmsErrorCode } from '../../../../src/index.ts'
import { createLocalKms, EnvKeyProvider } from '../../../../src/providers/local/index.ts'
import { sequence } from '../../wire/fixture.ts'

const CALL = { context: { 'edge-kms:dk': 'x' } }
const key = (first: number) => Buffer.from(sequence(32, first)).toString('base64')
const current = async (env: Record<string, unknown>, prefix?: string) => {
  const kms = new EnvKeyProvider(env, prefix === undefined ? {} : { prefix })
  return (await kms.currentVersion({}))[0]?.kekVersion
}

function codeOf(env: Record<string, unknown>): KmsErrorCode | undefined {
  try {
    new EnvKeyProvider(env)
    return undefined
  } catch (error) {
    return isKmsError(error) ? error.code : undefined
  }
}

describe('keys from the environment', () => {
  it('are the variables with a version number; the highest number is current', async () => {
    const env = { EDGE_KMS_KEY_V2: key(2), EDGE_KMS_KEY_V10: key(10), EDGE_KMS_KEY_V9: key(9) }
    expect(await current(env)).toBe('10')
    const { wraps, plaintext } = await new EnvKeyProvider(env).generateDataKey(CALL)
    const plain = createLocalKms({ versions: [{ version: 10, key: sequence(32, 10) }] })
    const { plaintext: again } = await plain.unwrapDataKey(wraps, CALL)
    expect(again.expose()).toEqual(plaintext.expose())
  })

  it('stand beside variables that are none of theirs', async () => {
    const env = {
      EDGE_KMS_KEY_V1: key(1),
      EDGE_KMS_KEY_VERSION: '1',
      EDGE_KMS_KEY: 'x',
      XEDGE_KMS_KEY_V2: 'x',
      PATH: '/bin',
      DB: { binding: true },
    }
    expect(await current(env)).toBe('1')
  })

  it('have another prefix where one is given', async () => {
    const env = { EDGE_KMS_KEY_V5: key(5), APP_V1: key(1), APP_V3: key(3), APP_RETIRED: '1' }
    expect(await current(env, 'APP')).toBe('3')
    const kms = new EnvKeyProvider(env, { prefix: 'APP', kekId: 'mine', usage: 'decrypt' })
    expect((await kms.currentVersion({}))[0]?.kekId).toBe('mine')
    expect(kms.capabilities.usage).toBe('decrypt')
  })

  it.each<[string, Record<string, unknown>]>([
    ['none', {}],
    ['none that is ours', { OTHER_V1: key(1) }],
    ['a leading zero', { EDGE_KMS_KEY_V1: key(1), EDGE_KMS_KEY_V02: key(2) }],
    ['version 0', { EDGE_KMS_KEY_V1: key(1), EDGE_KMS_KEY_V0: key(2) }],
    ['letters after the number', { EDGE_KMS_KEY_V1: key(1), EDGE_KMS_KEY_V2_OLD: key(2) }],
    ['a space after the number', { EDGE_KMS_KEY_V1: key(1), 'EDGE_KMS_KEY_V2 ': key(2) }],
    ['a version too large', { EDGE_KMS_KEY_V99999999999999999: key(1) }],
    ['an empty value', { EDGE_KMS_KEY_V1: key(1), EDGE_KMS_KEY_V2: '' }],
    ['the key of another version', { EDGE_KMS_KEY_V1: key(1), EDGE_KMS_KEY_V2: `${key(1)}\n` }],
    ['no value', { EDGE_KMS_KEY_V1: key(1), EDGE_KMS_KEY_V2: undefined }],
    ['a number', { EDGE_KMS_KEY_V1: 42 }],
    ['bytes', { EDGE_KMS_KEY_V1: sequence(32, 1) }],
    ['a secret that must be fetched', { EDGE_KMS_KEY_V1: { get: () => key(1) } }],
    ['bad base64', { EDGE_KMS_KEY_V1: `${key(1)}=` }],
    ['all bytes equal', { EDGE_KMS_KEY_V1: Buffer.alloc(32, 7).toString('base64') }],
  ])('are refused: %s', (_, env) => {
    expect(codeOf(env)).toBe('ERR_KMS_CONFIG')
  })
})

describe('the list of retired versions', () => {
  const env = { EDGE_KMS_KEY_V1: key(1), EDGE_KMS_KEY_V2: key(2), EDGE_KMS_KEY_V3: key(3) }
  const wraps = async (list: unknown) => {
    const kms = new EnvKeyProvider({ ...env, EDGE_KMS_KEY_RETIRED: list })
    return (await kms.healthCheck({})).checks[0]?.code ?? 'wraps'
  }

  it.each([undefined, '', '1', '1,2', ' 2 , 1 ', '1,1'])('may be %j', async (list) => {
    expect(await wraps(list)).toBe('wraps')
  })

  it.each(['3', '1,3', '3 ,2', ' 3\n'])(
    'stops the current version from wrapping: %j',
    async (list) => {
      expect(await wraps(list)).toBe('ERR_KMS_KEY_DISABLED')
    },
  )

  it.each(['4', '0', '01', 'v1', '1,', ',1', '1 2', '1;2', '-1', '1.0', 1, null, ['1'], true])(
    'is refused: %j',
    (list) => {
      expect(codeOf({ ...env, EDGE_KMS_KEY_RETIRED: list })).toBe('ERR_KMS_CONFIG')
    },
  )
})

it('puts no key into an error or into what it prints (R12)', () => {
  const canary = Buffer.from('CANARY-local-key-of-32-bytes-42!').toString('base64')
  const part = canary.slice(0, 20)
  const envs: Record<string, unknown>[] = [
    { EDGE_KMS_KEY_V1: `${canary}=` },
    { EDGE_KMS_KEY_V1: `x${canary}` },
    { EDGE_KMS_KEY_V01: canary },
    { EDGE_KMS_KEY_V1: canary, EDGE_KMS_KEY_RETIRED: canary },
    { EDGE_KMS_KEY_V1: canary, EDGE_KMS_KEY_V2: [canary] },
  ]
  for (const env of envs) {
    expect(codeOf(env)).toBe('ERR_KMS_CONFIG')
    try {
      new EnvKeyProvider(env)
    } catch (error) {
      expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(part)
      expect(JSON.stringify(error)).not.toContain(part)
    }
  }
  const kms = new EnvKeyProvider({ EDGE_KMS_KEY_V1: canary })
  expect(inspect(kms, { depth: 9, showHidden: true })).not.toContain(part)
  expect(JSON.stringify(kms)).not.toContain(part)
})
