import { afterEach, expect, it, vi } from 'vitest'
import {
  deriveChunkedKeys,
  deriveDataKey,
  deriveSubkey,
  importXaesKey,
  streamContext,
} from '../../../src/ciphers/index.ts'
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

/** Every input and answer of `crypto.subtle[name]` while `work` ran, as the platform had them. */
async function callsOf(
  name: 'encrypt' | 'sign',
  work: () => Promise<unknown>,
): Promise<{ readonly inputs: Uint8Array[]; readonly answers: Uint8Array[] }> {
  const inputs: Uint8Array[] = []
  const answers: Uint8Array[] = []
  const real = crypto.subtle[name].bind(crypto.subtle) as (
    ...args: unknown[]
  ) => Promise<ArrayBuffer>
  vi.spyOn(crypto.subtle, name).mockImplementation(async (...args: unknown[]) => {
    inputs.push(args[2] as Uint8Array)
    const answer = await real(...args)
    expect(isWiped(new Uint8Array(answer))).toBe(false)
    answers.push(new Uint8Array(answer))
    return answer
  })
  await work()
  vi.restoreAllMocks()
  return { inputs, answers }
}

it('R12 the bytes of a subkey and the blocks that it is made of are wiped', async () => {
  const key = await importXaesKey(new Uint8Array(32).fill(5))
  const derive = (): Promise<CryptoKey> => deriveSubkey(key, new Uint8Array(12).fill(6))
  const imported = await importedBy(derive)
  expect(imported.map((bytes) => bytes.length)).toEqual([32])
  expect(imported.every(isWiped)).toBe(true)
  const { answers } = await callsOf('encrypt', derive)
  // Each is the block and one of padding.
  expect(answers.map((bytes) => bytes.length)).toEqual([32, 32])
  expect(answers.every(isWiped)).toBe(true)
})

it('R12 the block from which K1 is made is wiped', async () => {
  const { answers } = await callsOf('encrypt', () => importXaesKey(new Uint8Array(32).fill(5)))
  expect(answers).toHaveLength(1)
  expect(answers.every(isWiped)).toBe(true)
})

it('R12 the blocks of the key of a stream are wiped, the first one too', async () => {
  const hmac = { name: 'HMAC', hash: 'SHA-512' }
  const raw = new Uint8Array(32).fill(3)
  const prk = await crypto.subtle.importKey('raw', raw, hmac, false, ['sign'])
  const { inputs, answers } = await callsOf('sign', () =>
    deriveChunkedKeys(prk, new Uint8Array(24).fill(4), streamContext({ row: '42' })),
  )
  expect(answers.map((bytes) => bytes.length)).toEqual([64, 64])
  expect(answers.every(isWiped)).toBe(true)
  // The second input begins with the first block.
  expect(inputs).toHaveLength(2)
  expect(inputs.every(isWiped)).toBe(true)
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
