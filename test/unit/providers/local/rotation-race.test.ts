import { expect, it } from 'vitest'
import { createLocalKms } from '../../../../src/providers/local/index.ts'
import { sequence } from '../../wire/fixture.ts'

it('two rotations at once never leave a key in use that the store does not have', async () => {
  const stored = new Map<number, Uint8Array>()
  const kms = createLocalKms({
    versions: [{ version: 1, key: sequence(32, 1) }],
    onRotate: async ({ version, key }) => {
      const bytes = key.expose().slice()
      await new Promise((resolve) => setTimeout(resolve, 1))
      stored.set(version, bytes)
    },
  })
  await Promise.allSettled([kms.rotateKey({}), kms.rotateKey({})])
  const call = { context: { 'edge-kms:dk': 'x' } }
  const { plaintext, wraps } = await kms.generateDataKey(call)
  const versions = [...stored].map(([version, key]) => ({ version, key }))
  const restarted = createLocalKms({ versions })
  const opened = await restarted.unwrapDataKey(wraps, call)
  expect(opened.plaintext.expose()).toEqual(plaintext.expose())
})
