import { describe, expect, it } from 'vitest'
import { EncryptedEnvelope, EnvelopeCipher, KmsError } from '../../../src/index.ts'
import {
  type MapOfValue,
  reencryptRecords,
  type ReencryptOptions,
} from '../../../src/rotation/index.ts'
import { MemoryDataKeyStore } from '../../../src/stores/index.ts'
import { cipherAt, kmsAt, MemorySource, utf8 } from './fixture.ts'
import { context, tableOf } from './tables.ts'

const aadOf: MapOfValue = ({ id }) => ({ row: id })
const keyOf = (value: unknown) =>
  EncryptedEnvelope.parse(value as Uint8Array | string).dataKeyStoreKey

/** Rows as bytes, as text and as bytes of text, each with an aad, under one data key. */
async function world(rows = 5) {
  const source = new MemorySource()
  const service = cipherAt(1)
  for (let i = 0; i < rows; i += 1) {
    const id = `r${String(i)}`
    const maps = { context, aad: { row: id } }
    const text = await service.encryptText(`text ${id}`, maps)
    source.set(id, {
      secret: await service.encrypt(utf8(`secret ${id}`), maps),
      text,
      bytes: utf8(text),
      plain: 'not encrypted',
      none: null,
    })
  }
  const leaked = keyOf(source.value('r0'))
  const run = (options: Partial<ReencryptOptions> = {}) =>
    reencryptRecords({ from: cipherAt(1), to: cipherAt(1), source, aadOf, pageSize: 2, ...options })
  const keys = () =>
    new Set([...source.rows.values()].flatMap(({ secret, text }) => [keyOf(secret), keyOf(text)]))
  return { source, service, leaked, run, keys }
}

describe('reencryptRecords', () => {
  it('leaves nothing under the data key that leaked, where a rewrap leaves all', async () => {
    const { source, service, leaked, run, keys } = await world()
    const rewrapped = await service.rewrap(source.value('r0') as Uint8Array, { context })
    expect(keyOf(rewrapped)).toBe(leaked)
    const result = await run()
    expect(result).toEqual({
      isComplete: true,
      reencrypted: 15,
      failed: 0,
      failures: [],
      dataKeyRecords: 0,
    })
    expect(keys()).not.toContain(leaked)
  })

  it('keeps plaintext, context, aad, form and what is not an envelope', async () => {
    const { source, run } = await world(1)
    await run()
    const row = source.rows.get('r0')
    const reader = cipherAt(1)
    const maps = { context, aad: { row: 'r0' } }
    expect(await reader.decrypt(row?.['secret'] as Uint8Array, maps)).toEqual(utf8('secret r0'))
    expect(await reader.decryptText(row?.['text'] as string, maps)).toBe('text r0')
    const text = new TextDecoder().decode(row?.['bytes'] as Uint8Array)
    expect(await reader.decryptText(text, maps)).toBe('text r0')
    expect(row).toMatchObject({ plain: 'not encrypted', none: null })
    await expect(
      reader.decrypt(row?.['secret'] as Uint8Array, { context, aad: { row: 'r1' } }),
    ).rejects.toMatchObject({ code: 'ERR_DECRYPT_FAILED' })
  })

  it('encrypts again only what is under the data key, if it is told which', async () => {
    const { source, leaked, run } = await world(3)
    const other = await cipherAt(1).encrypt(utf8('other'), { context, aad: { row: 'r9' } })
    source.set('r9', { secret: other })
    const affects = (envelope: EncryptedEnvelope) => envelope.dataKeyStoreKey === leaked
    expect(await run({ affects })).toMatchObject({ isComplete: true, reencrypted: 9 })
    expect(source.value('r9')).toEqual(other)
    expect(await run({ affects })).toMatchObject({ isComplete: true, reencrypted: 0 })
  })

  it('does not write over what a live writer wrote, and takes that too', async () => {
    const { source, leaked, run, service, keys } = await world(3)
    let writes = 0
    source.before = async (call) => {
      if (call !== 'swap' || writes > 0) return
      writes += 1
      const newer = await service.encrypt(utf8('newer'), { context, aad: { row: 'r0' } })
      source.set('r0', { ...source.rows.get('r0'), secret: newer })
    }
    expect(await run()).toMatchObject({ isComplete: true })
    expect(keys()).not.toContain(leaked)
    const maps = { context, aad: { row: 'r0' } }
    expect(await cipherAt(1).decrypt(source.value('r0') as Uint8Array, maps)).toEqual(utf8('newer'))
  })

  it('says that it is not complete while a writer still has the data key', async () => {
    const { source, run, service } = await world(1)
    let rows = 0
    source.before = async (call) => {
      if (call !== 'page') return
      rows += 1
      const id = `live${String(rows)}`
      source.set(id, { secret: await service.encrypt(utf8('x'), { context, aad: { row: id } }) })
    }
    expect(await run({ maxSweeps: 3 })).toMatchObject({ isComplete: false, failed: 0 })
  })

  it('names what does not open, goes on, and is not complete', async () => {
    const { source, run } = await world(2)
    source.set('bad', { secret: await cipherAt(1).encrypt(utf8('x'), { context }) }) // without aad
    source.set('cut', { secret: 'ek1.!' })
    expect(await run()).toMatchObject({
      isComplete: false,
      reencrypted: 6,
      failed: 2,
      failures: [
        {
          source: 'users',
          id: 'bad',
          field: 'secret',
          class: 'corrupt',
          code: 'ERR_DECRYPT_FAILED',
        },
        { id: 'cut', code: 'ERR_WIRE_MALFORMED' },
      ],
    })
  })

  it('reads messages by reference, and counts their records', async () => {
    const dataKeyStore = new MemoryDataKeyStore()
    const byReference = { dataKeyStore, form: 'reference' } as const
    const writer = cipherAt(1, byReference)
    const source = new MemorySource()
    source.set('a', { secret: await writer.encrypt(utf8('x'), { context }) })
    const leaked = keyOf(source.value('a'))
    source.set('key', { secret: (await dataKeyStore.get(leaked)) ?? null })
    const [from, to] = [cipherAt(1, byReference), cipherAt(1, byReference)]
    const result = await reencryptRecords({ from, to, source, contextOf: () => context })
    expect(result).toMatchObject({ isComplete: true, reencrypted: 1, dataKeyRecords: 1 })
    expect(keyOf(source.value('a'))).not.toBe(leaked)
    await dataKeyStore.delete(leaked)
    const value = source.value('a') as Uint8Array
    expect(await cipherAt(1, byReference).decrypt(value, { context })).toEqual(utf8('x'))
  })

  it('refuses a cipher that still uses the data key', async () => {
    const { service, run, source } = await world()
    const before = source.value('r0')
    await expect(run({ to: service })).rejects.toThrow('a data key that is stored already')
    await expect(run({ from: service, to: service })).rejects.toThrow('another cipher')
    expect(source.value('r0')).toEqual(before)
  })

  it('ends at an outage, and begins anew when it is called again', async () => {
    const { source, run, keys, leaked } = await world()
    source.before = (call) => {
      if (call === 'swap') throw new KmsError('ERR_STORE_UNAVAILABLE')
    }
    await expect(run()).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    source.before = () => undefined
    expect(await run()).toMatchObject({ isComplete: true })
    expect(keys()).not.toContain(leaked)
  })

  it('ends when the caller aborts', async () => {
    const { source, run } = await world()
    const controller = new AbortController()
    source.before = () => {
      controller.abort(new Error('enough'))
    }
    await expect(run({ signal: controller.signal })).rejects.toThrow('enough')
  })

  it('moves to the current KEK on the way', async () => {
    const source = await tableOf(2)
    const [from, to] = [cipherAt(1), new EnvelopeCipher({ kms: kmsAt(2) })]
    await reencryptRecords({ from, to, source })
    const value = EncryptedEnvelope.parse(source.value('r0000') as Uint8Array)
    expect(value.wraps).toMatchObject([{ kekVersion: '2' }])
  })

  it.each<[string, object]>([
    ['from', { from: {} }],
    ['to', { to: undefined }],
    ['source', { source: { page: 1 } }],
    ['aadOf', { aadOf: {} }],
    ['maxSweeps', { maxSweeps: 0 }],
    ['pages', { pages: 1 }],
  ])('refuses a wrong option %s', async (name, wrong) => {
    const { run } = await world(1)
    await expect(run(wrong)).rejects.toThrow(name)
  })

  it('refuses a bucket', async () => {
    const { run } = await world(1)
    const bucket = { kind: 'objects', name: 'b', page: run, read: run, swap: run, rewrap: run }
    await expect(run({ source: bucket as never })).rejects.toThrow('EncryptedBucket')
  })
})
