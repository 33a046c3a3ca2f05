// A source of the user's own that plans several KMSs.
import { describe, expect, it } from 'vitest'
import { joinKms, type KmsSource, MultiKms, stackFromEnv } from '../../../src/index.ts'
import { createLocalKms } from '../../../src/providers/local/index.ts'

const local = (kekId: string): ReturnType<typeof createLocalKms> =>
  createLocalKms({
    kekId,
    versions: [{ version: 1, key: crypto.getRandomValues(new Uint8Array(32)) }],
  })
const members = [local('local-a'), local('local-b')]

describe('a plan of several KMSs', () => {
  it('wraps each data key by all of them', async () => {
    const source: KmsSource = () => ({ kms: members, join: joinKms })
    const { cipher } = stackFromEnv({}, { kms: source, resilience: { scopes: ['a', 'b'] } })
    const envelope = await cipher.encrypt(new Uint8Array([1, 2, 3]))
    for (const kms of members) {
      const one = stackFromEnv({}, { kms: () => kms })
      expect(await one.cipher.decrypt(envelope)).toEqual(new Uint8Array([1, 2, 3]))
    }
  })

  it('is refused without join: nothing would join them', () => {
    const source: KmsSource = () => ({ kms: members })
    expect(() => stackFromEnv({}, { kms: source })).toThrow(
      'several KMSs need `join` beside them in the plan: give joinKms of edge-kms',
    )
  })

  it('needs no join for one', () => {
    const [kms] = members
    const source: KmsSource = () => ({ kms: kms === undefined ? [] : [kms] })
    expect(stackFromEnv({}, { kms: source }).kms.providerName).toBe('local')
  })
})

describe('joinKms', () => {
  it('makes a MultiKms', () => {
    expect(joinKms({ read: members })).toBeInstanceOf(MultiKms)
  })
})
