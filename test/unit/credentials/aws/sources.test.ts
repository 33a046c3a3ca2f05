import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import {
  type AwsCredentials,
  awsCredentialsFromEnv,
  toCredentialSource,
} from '../../../../src/credentials/aws/index.ts'
import { isKmsError } from '../../../../src/errors.ts'
import { codeOf, testPorts } from './ports.ts'

const secretAccessKey = 'canary-secret'
const malformed: Readonly<Record<string, unknown>> = {
  'no key id': { secretAccessKey },
  'an empty key id': { accessKeyId: '', secretAccessKey },
  'a key id that is a number': { accessKeyId: 4711, secretAccessKey },
  'a line break in the key id': { accessKeyId: 'canary\r\nx-other: 1', secretAccessKey },
  'a blank in the key id': { accessKeyId: 'canary AKID', secretAccessKey },
  'no secret': { accessKeyId: 'canary-id' },
  'an empty secret': { accessKeyId: 'canary-id', secretAccessKey: '' },
  'a secret that is not a string': { accessKeyId: 'canary-id', secretAccessKey: ['canary'] },
  'a line break in the token': {
    accessKeyId: 'canary-id',
    secretAccessKey,
    sessionToken: 'canary\n',
  },
  'an empty token': { accessKeyId: 'canary-id', secretAccessKey, sessionToken: '' },
}

describe('static credentials', () => {
  it('are given as they are, from a copy, and cannot be renewed', async () => {
    const given = { accessKeyId: 'AKID', secretAccessKey, sessionToken: 'token' }
    const source = toCredentialSource(given, testPorts())
    given.accessKeyId = 'changed'
    const first = await source.get({})
    expect(first).toEqual({ accessKeyId: 'AKID', secretAccessKey, sessionToken: 'token' })
    source.refused(first)
    expect(await source.get({})).toBe(first)
  })

  it.each(Object.entries(malformed))('R12 %s: refused without its value', async (_what, value) => {
    const given = value as AwsCredentials
    let caught: unknown
    try {
      toCredentialSource(given, testPorts())
    } catch (error) {
      caught = error
    }
    expect(isKmsError(caught, 'ERR_KMS_CONFIG')).toBe(true)
    expect(inspect(caught) + JSON.stringify(caught)).not.toContain('canary')
    // The credentials that a function returns must pass the same check.
    const source = toCredentialSource(() => Promise.resolve(given), testPorts())
    expect(await codeOf(source.get({}))).toBe('ERR_KMS_CONFIG')
  })

  it('a source of this package is taken as it is', () => {
    const keys = () => Promise.resolve({ accessKeyId: 'AKID', secretAccessKey })
    const source = toCredentialSource(keys, testPorts())
    expect(toCredentialSource(source, testPorts())).toBe(source)
  })
})

describe('credentials from an environment', () => {
  const env = { AWS_ACCESS_KEY_ID: 'AKID', AWS_SECRET_ACCESS_KEY: secretAccessKey }

  it('are the three variables, of which the token may be absent or empty', () => {
    const two = { accessKeyId: 'AKID', secretAccessKey }
    expect(awsCredentialsFromEnv(env)).toEqual(two)
    expect(awsCredentialsFromEnv({ ...env, AWS_SESSION_TOKEN: '' })).toEqual(two)
    expect(awsCredentialsFromEnv({ ...env, AWS_SESSION_TOKEN: 'token' })).toEqual({
      ...two,
      sessionToken: 'token',
    })
  })

  it.each([
    [{}, 'AWS_ACCESS_KEY_ID'],
    [{ ...env, AWS_ACCESS_KEY_ID: '' }, 'AWS_ACCESS_KEY_ID'],
    [{ ...env, AWS_ACCESS_KEY_ID: undefined }, 'AWS_ACCESS_KEY_ID'],
    [{ AWS_ACCESS_KEY_ID: 'canary' }, 'AWS_SECRET_ACCESS_KEY'],
    [{ ...env, AWS_SECRET_ACCESS_KEY: 7 }, 'AWS_SECRET_ACCESS_KEY'],
    [{ ...env, AWS_ACCESS_KEY_ID: 'canary\n' }, 'accessKeyId'],
    [{ ...env, AWS_SESSION_TOKEN: 'canary\r\n' }, 'sessionToken'],
  ])('%o is refused by name, never by value', (variables, name) => {
    let caught: unknown
    try {
      awsCredentialsFromEnv(variables)
    } catch (error) {
      caught = error
    }
    expect(isKmsError(caught, 'ERR_KMS_CONFIG')).toBe(true)
    expect(inspect(caught)).toContain(name)
    expect(inspect(caught)).not.toContain('canary')
  })
})
