import { toJSONSchema } from 'zod/mini'
import { describe, expect, it } from 'vitest'
import { createKms, type EnvKmsConfig } from '../../../src/config/index.ts'
import { kmsConfigSchema } from '../../../src/config/kms-config.ts'
import type { EnvReference, FileReference } from '../../../src/config/index.ts'
import { type Json, schemaOptions } from './schema-paths.ts'

const key = (n: number) =>
  Buffer.from(Uint8Array.from({ length: 32 }, (_, i) => i + n)).toString('base64')
const variables: Readonly<Record<string, string>> = {
  EDGE_KMS_KEY_V1: key(1),
  EDGE_KMS_KEY_V3: key(3),
  EDGE_KMS_KEY_RETIRED: '1',
  OTHER_V2: key(2),
}
const resolve = (reference: EnvReference | FileReference) =>
  'env' in reference ? variables[reference.env] : undefined
const create = (more: Partial<EnvKmsConfig> = {}) =>
  createKms({ provider: 'env', ...more }, { resolve })

describe("provider: 'env'", () => {
  it('reads its versions from the variables, with gaps and retired ones', async () => {
    const [version] = await create().currentVersion({})
    expect(version).toEqual({ provider: 'local', kekId: 'app', kekVersion: '3' })
  })

  it('takes another prefix, another kekId, and one half of the contract', async () => {
    const kms = create({ prefix: 'OTHER', kekId: 'own', usage: 'encrypt' })
    expect(await kms.currentVersion({})).toMatchObject([{ kekId: 'own', kekVersion: '2' }])
    expect(kms.capabilities.usage).toBe('encrypt')
  })

  it('refuses what it cannot use', () => {
    expect(() => create({ prefix: 'NONE' })).toThrow('no key is set: NONE_V1')
    expect(() => create({ prefix: '1-A' })).toThrow('prefix must be')
    expect(() => create({ kekId: '' })).toThrow('kekId')
    expect(() => create({ usage: 'all' as never })).toThrow('usage must be')
    expect(() => createKms({ provider: 'env' })).toThrow('provider reads variables: give createKms')
    expect(() => create({ versions: [] } as never)).toThrow('unknown option: versions')
    const throwing = () =>
      createKms(
        { provider: 'env' },
        {
          resolve: () => {
            throw new Error('canary')
          },
        },
      )
    expect(throwing).toThrow('no key is set')
  })

  it('has no option that is not tested here', () => {
    const schema = toJSONSchema(kmsConfigSchema, { io: 'input' }) as unknown as Json
    const paths = schemaOptions(schema).map(({ path }) => path)
    const own = paths.filter((path) => path.startsWith('env.'))
    // The last one: test/unit/providers/browser.test.ts.
    expect(own).toEqual(['env.prefix', 'env.kekId', 'env.usage', 'env.dangerouslyAllowBrowser'])
  })
})
