import { toJSONSchema } from 'zod/mini'
import { describe, expect, it } from 'vitest'
import { createGoogleCloudKms } from '../../../adapters/google-cloud-kms/index.ts'
import {
  createKms,
  createResilientKms,
  type GoogleCloudKmsConfig,
} from '../../../src/config/index.ts'
import { kmsConfigSchema } from '../../../src/config/kms-config.ts'
import { type Json, schemaOptions } from './schema-paths.ts'

const keyName = 'projects/acme/locations/global/keyRings/app/cryptoKeys/data'
const config: GoogleCloudKmsConfig = { provider: 'google-cloud-kms', keyName }

describe("provider: 'google-cloud-kms'", () => {
  it('gives its options to the function that has the client', () => {
    const given: object[] = []
    const googleCloudKms = (options: { readonly keyName: string }) => {
      given.push(options)
      const client = new Proxy({}, { get: () => () => Promise.reject(new Error('down')) })
      return createGoogleCloudKms({ ...options, client: client as never })
    }
    const more = { randomBytes: 'hsm', usage: 'decrypt', timeoutMs: 77 } as const
    const kms = createKms({ ...config, ...more }, { googleCloudKms })
    expect(given).toEqual([{ keyName, ...more }])
    expect(kms.providerName).toBe('gcp-kms')
    expect(kms.capabilities.usage).toBe('decrypt')
    createResilientKms({ kms: config }, { googleCloudKms })
    expect(given[1]).toEqual({ keyName })
    const own = { ...config, keyName: keyName.replace('data', '{tenant}') }
    createKms({ provider: 'by-context', kms: own }, { googleCloudKms })
    expect(given[2]).toEqual({ keyName: keyName.replace('data', 'sample') })
  })

  it('refuses to be without that function, and what it does not know', () => {
    expect(() => createKms(config)).toThrow(
      'needs a client: give createKms a `googleCloudKms` option',
    )
    const credentials = { ...config, credentials: {} } as never
    expect(() => createKms(credentials)).toThrow('unknown option: credentials')
    expect(() => createKms({ ...config, usage: 'all' as never })).toThrow('usage must be')
    expect(() => createKms({ ...config, randomBytes: 'none' as never })).toThrow(
      'randomBytes must be',
    )
    expect(() => createKms({ ...config, timeoutMs: '1' as never })).toThrow('timeoutMs must be')
  })

  it('has no option that is not tested here', () => {
    const schema = toJSONSchema(kmsConfigSchema, { io: 'input' }) as unknown as Json
    const paths = schemaOptions(schema).map(({ path }) => path)
    const own = paths.filter((path) => path.startsWith('google-cloud-kms.'))
    expect(own).toEqual(
      ['keyName', 'randomBytes', 'usage', 'timeoutMs'].map((name) => `google-cloud-kms.${name}`),
    )
  })
})
