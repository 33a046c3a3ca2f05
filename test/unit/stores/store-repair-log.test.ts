import { expect, it } from 'vitest'
import { MultiKms } from '../../../src/index.ts'
import type { DataKeyStore } from '../../../src/ports/index.ts'
import { MemoryDataKeyStore, StoreRepairLog } from '../../../src/stores/index.ts'
import { FakeWorld } from '../../support/fake-world.ts'
import { fail, ScriptedKms } from '../../support/scripted-kms.ts'

const dataKey = `${'B'.repeat(43)}.1767225600000`
const missing = { dataKey, providers: ['a'], atMs: 5 }

it('R26 a note stays until it is done, and twice is once', async () => {
  const log = new StoreRepairLog(new MemoryDataKeyStore())
  await log.note(missing, {})
  await log.note({ ...missing, providers: ['b', 'a'], atMs: 9 }, {})
  expect((await log.list(undefined, 10, {})).notes).toEqual([
    { dataKey, providers: ['a', 'b'], atMs: 5 },
  ])
  await log.done(missing, {})
  expect((await log.list(undefined, 10, {})).notes).toEqual([])
  await log.note(missing, {})
  expect((await log.list(undefined, 10, {})).notes).toHaveLength(1)
})

it('R26 many writers lose no provider', async () => {
  const log = new StoreRepairLog(new MemoryDataKeyStore())
  const names = ['a', 'b', 'c']
  await Promise.all(names.map((name) => log.note({ ...missing, providers: [name] }, {})))
  expect((await log.list(undefined, 10, {})).notes[0]?.providers.toSorted()).toEqual(names)
})

it('R26 an envelope that left with one wrap of two is in the log', async () => {
  const log = new StoreRepairLog(new MemoryDataKeyStore())
  const members = [new ScriptedKms('a'), new ScriptedKms('b')] as const
  members[1].always = fail('ERR_KMS_UNAVAILABLE')
  const policy = { writePolicy: { quorum: 1 }, repairs: log } as const
  const kms = new MultiKms({ read: members, ...policy, ...new FakeWorld().ports })
  await kms.generateDataKey({ context: { 'edge-kms:dk': dataKey } })
  const { notes } = await log.list(undefined, 10, {})
  expect(notes.map(({ providers }) => providers)).toEqual([['b']])
})

it.each(['', 'short.1', 'B'.repeat(43)])('refuses %j as a data key', async (name) => {
  const log = new StoreRepairLog(new MemoryDataKeyStore())
  await expect(log.note({ ...missing, dataKey: name }, {})).rejects.toMatchObject({
    code: 'ERR_STORE_UNAVAILABLE',
  })
})

it('says that a note is malformed, and writes over nothing', async () => {
  const store = new MemoryDataKeyStore()
  await store.putIfAbsent(`ek1/${'B'.repeat(43)}`, new TextEncoder().encode('{"providers":3}'))
  const log = new StoreRepairLog(store)
  for (const work of [log.note(missing, {}), log.list(undefined, 10, {})])
    await expect(work).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
})

it('refuses a store that is eventual', () => {
  const make = (): unknown => new StoreRepairLog({ consistency: 'eventual' } as DataKeyStore)
  expect(make).toThrow(expect.objectContaining({ code: 'ERR_KMS_CONFIG' }))
})
