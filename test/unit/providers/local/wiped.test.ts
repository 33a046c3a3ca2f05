import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { type KeyManagementService, SecretBytes } from '../../../../src/index.ts'
import { createLocalKms } from '../../../../src/providers/local/index.ts'
import { sequence } from '../../wire/fixture.ts'

const call = { context: { 'edge-kms:dk': 'x' } }
const kms = (): KeyManagementService =>
  createLocalKms({
    versions: [{ version: 1, key: sequence(32, 1) }],
    onRotate: async () => undefined,
  })

/** Every array that became a secret; what is wiped is zero. */
const secrets: Uint8Array[] = []
const left = (): number => secrets.filter((bytes) => bytes.some((byte) => byte !== 0)).length

beforeEach(() => {
  secrets.length = 0
  const { take, copy } = SecretBytes
  vi.spyOn(SecretBytes, 'take').mockImplementation((bytes) => {
    secrets.push(bytes)
    return take(bytes)
  })
  vi.spyOn(SecretBytes, 'copy').mockImplementation((bytes) => {
    const secret = copy(bytes)
    secrets.push(secret.expose())
    return secret
  })
})
afterEach(() => {
  vi.restoreAllMocks()
})

it('R12 a rewrap leaves no DEK behind, nor does a health check or a rotation', async () => {
  const service = kms()
  const { plaintext, wraps } = await service.generateDataKey(call)
  plaintext.dispose()
  expect(left()).toBe(0)
  await service.rewrapDataKey(wraps, call)
  expect(left()).toBe(0)
  await service.healthCheck({})
  expect(left()).toBe(0)
  await service.rotateKey({})
  // The new version's key waits for its first use, and for nothing after it.
  expect(left()).toBe(1)
  await service.rewrapDataKey(wraps, call)
  expect(left()).toBe(0)
  expect(secrets.length).toBeGreaterThan(5)
})

it('R12 what fails leaves no DEK behind either', async () => {
  const service = createLocalKms({
    versions: [
      { version: 1, key: sequence(32, 1) },
      { version: 2, key: sequence(32, 2), state: 'retired' },
    ],
  })
  const { plaintext, wraps } = await kms().generateDataKey(call)
  plaintext.dispose()
  await service.healthCheck({})
  await expect(service.generateDataKey(call)).rejects.toMatchObject({
    code: 'ERR_KMS_KEY_DISABLED',
  })
  await expect(service.rewrapDataKey(wraps, call)).rejects.toMatchObject({
    code: 'ERR_KMS_KEY_DISABLED',
  })
  // Version 2 was never used, so its own bytes are still to be imported.
  expect(left()).toBe(1)
})
