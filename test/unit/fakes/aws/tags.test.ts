import { describe, expect, it } from 'vitest'
import { createFakeAws, type FakeAws } from '../../../../adapters/fakes/index.ts'
import { kms } from './client.ts'

const tag = (TagKey: string, TagValue = '') => ({ TagKey, TagValue })
const numbered = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => tag(`k${from + index}`))

const tagsOf = async (fake: FakeAws, KeyId: string, options = {}) =>
  (await kms(fake, 'ListResourceTags', { KeyId }, options)).json['Tags']

describe('fake AWS KMS: tags', () => {
  it('adds, replaces, lists and drops tags', async () => {
    const fake = createFakeAws()
    const { keyId: KeyId } = fake.createKey()
    expect(await tagsOf(fake, KeyId)).toEqual([])
    await kms(fake, 'TagResource', { KeyId, Tags: [tag('team', 'a'), tag('Team', 'b')] })
    expect((await kms(fake, 'TagResource', { KeyId, Tags: [tag('team', 'c')] })).status).toBe(200)
    expect(await tagsOf(fake, KeyId)).toEqual([tag('team', 'c'), tag('Team', 'b')])
    const TagKeys = ['team', 'unknown']
    expect((await kms(fake, 'UntagResource', { KeyId, TagKeys })).status).toBe(200)
    expect(await tagsOf(fake, KeyId)).toEqual([tag('Team', 'b')])
  })

  it('lists by pages of at most 50', async () => {
    const fake = createFakeAws()
    const { keyId: KeyId } = fake.createKey()
    await kms(fake, 'TagResource', { KeyId, Tags: numbered(3) })
    const page = async (input: object) => kms(fake, 'ListResourceTags', { KeyId, ...input })
    const { json } = await page({ Limit: 2 })
    expect(json).toMatchObject({ Tags: numbered(2), Truncated: true })
    expect((await page({ Marker: json['NextMarker'] })).json).toEqual({
      Tags: numbered(1, 2),
      Truncated: false,
    })
    expect((await page({ Limit: 51 })).error).toBe('ValidationException')
    expect((await page({ Marker: 'x' })).error).toBe('InvalidMarkerException')
  })

  it.each([
    ['a reserved key', [tag('aws:x')], 'TagException'],
    ['a reserved key in capitals', [tag('AWS:x')], 'TagException'],
    ['a key twice', [tag('a', '1'), tag('a', '2')], 'TagException'],
    ['51 tags', numbered(51), 'TagException'],
    ['an empty key', [tag('')], 'ValidationException'],
    ['a long key', [tag('k'.repeat(129))], 'ValidationException'],
    ['a long value', [tag('k', 'v'.repeat(257))], 'ValidationException'],
    ['a tag without a value', [{ TagKey: 'k' }], 'ValidationException'],
    ['no tags', undefined, 'ValidationException'],
    ['a tag that is a text', ['k'], 'SerializationException'],
  ])('refuses %s', async (_name, Tags, error) => {
    const fake = createFakeAws()
    const { keyId: KeyId } = fake.createKey()
    expect((await kms(fake, 'TagResource', { KeyId, Tags })).error).toBe(error)
    if (Tags !== undefined) expect((await kms(fake, 'CreateKey', { Tags })).error).toBe(error)
    expect(await tagsOf(fake, KeyId)).toEqual([])
  })

  it('counts tags from before', async () => {
    const fake = createFakeAws()
    const { keyId: KeyId } = fake.createKey()
    const add = async (Tags: object) => (await kms(fake, 'TagResource', { KeyId, Tags })).error
    expect(await add(numbered(50))).toBeUndefined()
    expect(await add([tag('k0', 'again')])).toBeUndefined()
    expect(await add([tag('more')])).toBe('TagException')
    const reserved = { KeyId, TagKeys: ['aws:x'] }
    expect((await kms(fake, 'UntagResource', reserved)).error).toBe('TagException')
  })

  it('leaves a key alone that is to be deleted, and takes tags of a disabled one', async () => {
    const fake = createFakeAws()
    const { keyId: KeyId } = fake.createKey()
    const input = { KeyId, Tags: [tag('a')], TagKeys: ['a'] }
    await kms(fake, 'DisableKey', { KeyId })
    expect((await kms(fake, 'TagResource', input)).status).toBe(200)
    await kms(fake, 'ScheduleKeyDeletion', { KeyId })
    for (const operation of ['TagResource', 'UntagResource']) {
      expect((await kms(fake, operation, input)).error).toBe('KMSInvalidStateException')
    }
    expect(await tagsOf(fake, KeyId)).toEqual([tag('a')])
  })

  it('makes keys with tags for callers that may tag', async () => {
    const fake = createFakeAws({
      accessKeys: [
        { accessKeyId: 'A', secretAccessKey: 's' },
        { accessKeyId: 'B', secretAccessKey: 's', policy: { allow: ['kms:CreateKey'] } },
      ],
    })
    const b = { credentials: { accessKeyId: 'B', secretAccessKey: 's' } }
    const Tags = [tag('team', 'a')]
    const made = (await kms(fake, 'CreateKey', { Tags })).json['KeyMetadata'] as { KeyId: string }
    expect(await tagsOf(fake, made.KeyId)).toEqual(Tags)
    expect((await kms(fake, 'CreateKey', {}, b)).status).toBe(200)
    expect((await kms(fake, 'CreateKey', { Tags }, b)).error).toBe('AccessDeniedException')
  })

  it('gives a replica tags, a policy and a description of its own', async () => {
    const fake = createFakeAws()
    const there = { region: 'eu-west-1' }
    const { keyId: KeyId } = fake.createKey({ multiRegion: true, description: 'primary' })
    await kms(fake, 'TagResource', { KeyId, Tags: [tag('of', 'primary')] })
    const input = { KeyId, ReplicaRegion: 'eu-west-1', Tags: [tag('of', 'replica')] }
    const { json } = await kms(fake, 'ReplicateKey', input)
    expect(json['ReplicaTags']).toEqual([tag('of', 'replica')])
    expect(json['ReplicaPolicy']).toContain('Enable IAM User Permissions')
    await kms(fake, 'TagResource', { KeyId, Tags: [tag('more')] })
    await kms(fake, 'UpdateKeyDescription', { KeyId, Description: 'changed' })
    expect(await tagsOf(fake, KeyId, there)).toEqual([tag('of', 'replica')])
    expect((await kms(fake, 'DescribeKey', { KeyId }, there)).json).toMatchObject({
      KeyMetadata: { Description: '' },
    })
  })
})
