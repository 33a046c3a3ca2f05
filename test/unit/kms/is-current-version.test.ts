import { describe, expect, it } from 'vitest'
import {
  EncryptedEnvelope,
  EnvelopeCipher,
  isCurrentVersion,
  MultiKms,
} from '../../../src/index.ts'
import { createLocalKms } from '../../../src/providers/local/index.ts'

const key = () => crypto.getRandomValues(new Uint8Array(32))
const [first, second] = [key(), key()]

describe('isCurrentVersion', () => {
  it('tells an envelope from before a rotation from one after it', async () => {
    const old = createLocalKms({ versions: [{ version: 1, key: first }] })
    const next = createLocalKms({
      versions: [
        { version: 1, key: first },
        { version: 2, key: second },
      ],
    })
    const envelope = await new EnvelopeCipher({ kms: old }).encrypt(new Uint8Array(1))
    const versions = await next.currentVersion({})
    expect(isCurrentVersion(EncryptedEnvelope.parse(envelope).wraps, versions)).toBe(false)
    const rewrapped = await new EnvelopeCipher({ kms: next }).rewrap(envelope)
    expect(isCurrentVersion(EncryptedEnvelope.parse(rewrapped).wraps, versions)).toBe(true)
  })

  it('misses the wrap of a KEK that was added', async () => {
    const [a, b] = ['a', 'b'].map((kekId) =>
      createLocalKms({ kekId, versions: [{ version: 1, key: first }] }),
    )
    const { wraps } = await a!.generateDataKey({ context: {} })
    const both = new MultiKms({ read: [a!, b!] })
    expect(isCurrentVersion(wraps, await both.currentVersion({}))).toBe(false)
  })

  it('does not know without wraps, without KEKs, and where no version is revealed', () => {
    const wrap = { provider: 'p', kekId: 'k', kekVersion: '', wrapped: new Uint8Array(1) }
    expect(isCurrentVersion([], [wrap])).toBeUndefined()
    expect(isCurrentVersion([wrap], [])).toBeUndefined()
    expect(isCurrentVersion([wrap], [wrap])).toBeUndefined()
    expect(isCurrentVersion([wrap], [wrap, { ...wrap, kekId: 'other' }])).toBe(false)
  })
})
