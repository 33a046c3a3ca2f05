import { describe, expect, it } from 'vitest'
import { type KmsCapabilities, MultiKms } from '../../../src/index.ts'
import { createLocalKms } from '../../../src/providers/local/index.ts'
import { codeOfAsync } from '../../vectors/hex.ts'
import { sequence } from '../wire/fixture.ts'

const versions = [{ version: 1, key: sequence(32, 1) }]
const call = { context: { 'edge-kms:dk': 'x' } }

describe('capabilities', () => {
  it.each<[string, { readonly capabilities: KmsCapabilities }]>([
    ['a local KMS', createLocalKms({ versions })],
    ['several', new MultiKms({ read: [createLocalKms({ versions })] })],
  ])('of %s cannot be changed', (_, { capabilities }) => {
    const writable = capabilities as { usage: string }
    expect(() => {
      writable.usage = 'none'
    }).toThrow(TypeError)
    expect(capabilities.usage).toBe('both')
  })

  it('of a local KMS say what its options say', () => {
    const { capabilities } = createLocalKms({ versions })
    expect(capabilities).toMatchObject({
      usage: 'both',
      bindsContext: true,
      rewrapsInside: false,
      rotates: false,
      revealsVersion: true,
      batches: false,
    })
    const onRotate = async (): Promise<void> => undefined
    expect(createLocalKms({ versions, onRotate }).capabilities.rotates).toBe(true)
    for (const usage of ['encrypt', 'decrypt'] as const) {
      expect(createLocalKms({ versions, usage }).capabilities.usage).toBe(usage)
    }
  })

  it('are true: what they rule out is refused, never dropped', async () => {
    const only = (usage: 'encrypt' | 'decrypt') => createLocalKms({ versions, usage })
    const unsupported = 'ERR_KMS_UNSUPPORTED'
    expect(await codeOfAsync(() => only('decrypt').generateDataKey(call))).toBe(unsupported)
    expect(await codeOfAsync(() => only('encrypt').unwrapDataKey([], call))).toBe(unsupported)
    expect(await codeOfAsync(() => only('encrypt').rewrapDataKey([], call))).toBe(unsupported)
    expect(await codeOfAsync(() => createLocalKms({ versions }).rotateKey({}))).toBe(unsupported)
  })

  it('limits hold for the largest context that there can be', async () => {
    const { maxContextBytes, maxWrappedBytes } = createLocalKms({ versions }).capabilities.limits
    // ctx(context) has 4,096 bytes at most, and K adds one entry of some 80 bytes.
    expect(maxContextBytes).toBeGreaterThanOrEqual(4_096 + 80)
    const { wraps } = await createLocalKms({ versions }).generateDataKey(call)
    expect(wraps[0]!.wrapped.length).toBeLessThanOrEqual(maxWrappedBytes)
  })
})
