import { describe, expect, it } from 'vitest'
import { createFakeAws } from '../../../../adapters/fakes/index.ts'
import { kms } from './client.ts'

const root = { AWS: 'arn:aws:iam::111122223333:root' }
const statement = { Effect: 'Allow', Principal: root, Action: 'kms:*', Resource: '*' }
const policyOf = (change: object = {}) =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ ...statement, ...change }] })

describe('fake AWS KMS: key policies', () => {
  it('keeps one policy for each key, the default one at first', async () => {
    const fake = createFakeAws({ region: 'us-gov-west-1' })
    const { keyId: KeyId } = fake.createKey()
    const get = async () => (await kms(fake, 'GetKeyPolicy', { KeyId })).json
    const first = await get()
    expect(JSON.parse(first['Policy'] as string)).toMatchObject({
      Id: 'key-default-1',
      Statement: [{ Principal: { AWS: 'arn:aws-us-gov:iam::111122223333:root' } }],
    })
    const Policy = policyOf({ Condition: { Bool: { 'kms:ViaService': 'true' } } })
    expect((await kms(fake, 'PutKeyPolicy', { KeyId, Policy })).status).toBe(200)
    expect(await get()).toEqual({ Policy, PolicyName: 'default' })
    const names = (await kms(fake, 'ListKeyPolicies', { KeyId })).json
    expect(names).toEqual({ PolicyNames: ['default'], Truncated: false })
  })

  it('takes a policy when a key is made or replicated', async () => {
    const fake = createFakeAws()
    const Policy = policyOf({ Sid: 'mine' })
    const made = await kms(fake, 'CreateKey', { Policy, MultiRegion: true })
    const { KeyId } = made.json['KeyMetadata'] as { KeyId: string }
    expect((await kms(fake, 'GetKeyPolicy', { KeyId })).json['Policy']).toBe(Policy)
    const input = { KeyId, ReplicaRegion: 'eu-west-1' }
    const replica = (await kms(fake, 'ReplicateKey', input)).json
    expect(replica['ReplicaPolicy']).not.toBe(Policy)
    expect((await kms(fake, 'CreateKey', { Policy: '{}' })).error).toBe(
      'MalformedPolicyDocumentException',
    )
  })

  it('takes every form that a statement may have', async () => {
    const fake = createFakeAws()
    const { keyId: KeyId } = fake.createKey()
    const { Resource: _resource, ...open } = statement
    for (const Policy of [
      policyOf({ Principal: '*', Effect: 'Deny', Action: ['kms:Encrypt', 'kms:Decrypt'] }),
      JSON.stringify({ Statement: { ...open, NotResource: ['x'] } }),
      policyOf({ Principal: { Service: ['s3.amazonaws.com'], AWS: '111122223333' } }),
    ]) {
      expect((await kms(fake, 'PutKeyPolicy', { KeyId, Policy })).error).toBeUndefined()
    }
  })

  it.each([
    ['text that is not JSON', '{'],
    ['a list', '[]'],
    ['no statement', '{"Version":"2012-10-17","Statement":[]}'],
    ['another version', JSON.stringify({ Version: '2020-01-01', Statement: [statement] })],
    ['an unknown element', JSON.stringify({ Statement: [statement], Extra: 1 })],
    ['another effect', policyOf({ Effect: 'Perhaps' })],
    ['no principal', policyOf({ Principal: undefined })],
    ['an empty principal', policyOf({ Principal: {} })],
    ['an unknown kind of principal', policyOf({ Principal: { Azure: 'x' } })],
    ['a principal and its opposite', policyOf({ NotPrincipal: root })],
    ['no action', policyOf({ Action: [] })],
    ['no resource', policyOf({ Resource: undefined })],
    ['a condition that is a text', policyOf({ Condition: 'x' })],
  ])('refuses %s, and keeps the policy from before', async (_name, Policy) => {
    const fake = createFakeAws()
    const { keyId: KeyId } = fake.createKey()
    const before = (await kms(fake, 'GetKeyPolicy', { KeyId })).json
    const { error } = await kms(fake, 'PutKeyPolicy', { KeyId, Policy })
    expect(error).toBe('MalformedPolicyDocumentException')
    expect((await kms(fake, 'GetKeyPolicy', { KeyId })).json).toEqual(before)
  })

  it.each([
    ['no policy', { Policy: undefined }, 'ValidationException'],
    ['a policy beyond Latin-1', { Policy: policyOf({ Sid: '✓' }) }, 'ValidationException'],
    [
      'more than 32 KiB',
      { Policy: policyOf({ Sid: 'x'.repeat(32_768) }) },
      'LimitExceededException',
    ],
    ['another name', { PolicyName: 'mine' }, 'NotFoundException'],
    ['a flag that is a text', { BypassPolicyLockoutSafetyCheck: 'no' }, 'SerializationException'],
  ])('refuses %s', async (_name, change, error) => {
    const fake = createFakeAws()
    const input = { KeyId: fake.createKey().keyId, Policy: policyOf(), ...change }
    expect((await kms(fake, 'PutKeyPolicy', input)).error).toBe(error)
  })

  it('knows one name only, and asks for a permission', async () => {
    const fake = createFakeAws({
      accessKeys: [{ accessKeyId: 'A', secretAccessKey: 's', policy: { deny: ['kms:PutKey*'] } }],
    })
    const { keyId: KeyId } = fake.createKey()
    const named = await kms(fake, 'GetKeyPolicy', { KeyId, PolicyName: 'mine' })
    expect(named.error).toBe('NotFoundException')
    const put = await kms(fake, 'PutKeyPolicy', { KeyId, Policy: policyOf() })
    expect(put.error).toBe('AccessDeniedException')
    const list = await kms(fake, 'ListKeyPolicies', { KeyId, Marker: '0' })
    expect(list.error).toBe('InvalidMarkerException')
  })
})
