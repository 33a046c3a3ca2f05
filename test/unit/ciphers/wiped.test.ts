import { afterEach, expect, it, vi } from 'vitest'
import { deriveChunkedKeys, deriveDataKey, streamContext } from '../../../src/ciphers/index.ts'
import { SecretBytes } from '../../../src/kms/index.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

/** Every array, whole, from which a key was imported while `work` ran. */
async function importedBy(work: () => Promise<unknown>): Promise<Uint8Array[]> {
  const buffers = new Set<ArrayBufferLike>()
  const importKey = crypto.subtle.importKey.bind(crypto.subtle) as (
    ...args: unknown[]
  ) => Promise<CryptoKey>
  vi.spyOn(crypto.subtle, 'importKey').mockImplementation((...args: unknown[]) => {
    buffers.add((args[1] as Uint8Array).buffer)
    return importKey(...args)
  })
  await work()
  vi.restoreAllMocks()
  return [...buffers].map((buffer) => new Uint8Array(buffer))
}

const isWiped = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0)

it('R12 what a data key is derived into is wiped once it is imported', async () => {
  const secret = SecretBytes.take(new Uint8Array(32).fill(1))
  const binding = {
    salt: new Uint8Array(32).fill(9),
    createdAtMs: 1_767_225_600_000,
    flags: 0,
    context: new Uint8Array(2),
    stored: new Uint8Array(0),
  }
  const imported = await importedBy(() => deriveDataKey(secret, binding))
  secret.dispose()
  // The DEK itself, and the block that holds the record key and the stream key.
  expect(imported.map((bytes) => bytes.length).sort((a, b) => a - b)).toEqual([32, 96])
  expect(imported.every(isWiped)).toBe(true)
})

it('R12 what the keys of a stream are cut from is wiped', async () => {
  const hmac = { name: 'HMAC', hash: 'SHA-512' }
  const raw = new Uint8Array(32).fill(3)
  const prk = await crypto.subtle.importKey('raw', raw, hmac, false, ['sign'])
  const imported = await importedBy(() =>
    deriveChunkedKeys(prk, new Uint8Array(24).fill(4), streamContext({ row: '42' })),
  )
  expect(imported).toHaveLength(1)
  expect(imported.every(isWiped)).toBe(true)
})
