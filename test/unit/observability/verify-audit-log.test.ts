import { beforeAll, describe, expect, it } from 'vitest'
import { auditHash } from '../../../src/observability/audit-hash.ts'
import {
  type AuditCheckpoint,
  type AuditRecord,
  verifyAuditLog,
} from '../../../src/observability/index.ts'
import { keyPair, written } from './audit-fixture.ts'

/** The chain from here on told anew, as one would who has no key for checkpoints. */
async function retold(records: readonly AuditRecord[], from: number): Promise<AuditRecord[]> {
  const out = records.slice(0, from)
  for (const record of records.slice(from)) {
    const prev = out.at(-1)?.hash ?? record.prev
    const event = record.seq === from ? { ...record.event, actor: 'somebody else' } : record.event
    const next = { ...record, prev, event }
    out.push({ ...next, hash: await auditHash(next) })
  }
  return out
}

describe('R32 a log of 10,000 events', () => {
  let log: readonly AuditRecord[]
  let checkpoints: readonly AuditCheckpoint[]
  let publicKey: CryptoKey
  let writer: string
  beforeAll(async () => {
    ;({ log, checkpoints, publicKey } = await written(10_000))
    writer = log[0]?.writer ?? ''
  })
  const verify = (records: readonly AuditRecord[], slack = 0) =>
    verifyAuditLog(records, { checkpoints, publicKey, slack })
  const at = (seq: number): AuditRecord => log[seq] as AuditRecord

  it('holds, also after a way through JSON and a store that sorts fields', async () => {
    const stored = log.map((record) => {
      const event = Object.fromEntries(Object.entries(record.event).sort())
      return JSON.parse(JSON.stringify({ ...record, event })) as AuditRecord
    })
    expect(await verify(stored)).toEqual({ ok: true, writers: new Map([[writer, 10_000]]) })
    expect(checkpoints).toHaveLength(10)
  })

  it.each([
    'atMs',
    'durationMs',
    'operation',
    'provider',
    'outcome',
    'errorType',
    'actor',
    'dataKey',
    'keys',
  ])('one event is edited: %s', async (field) => {
    const value = { atMs: 1, durationMs: 9, keys: [] }[field as 'atMs'] ?? 'x'
    const event = { ...at(4_321).event, [field]: value }
    const edited = log.with(4_321, { ...at(4_321), event })
    expect(await verify(edited)).toEqual({ ok: false, problem: 'edited', writer, seq: 4_321 })
  })

  it('one event gets a field that no hash covers', async () => {
    const event = { ...at(77).event, approvedBy: 'root' }
    const edited = log.with(77, { ...at(77), event })
    expect(await verify(edited)).toEqual({ ok: false, problem: 'edited', writer, seq: 77 })
  })

  it.each([0, 1, 5_000, 9_998])('one event is dropped: %d', async (seq) => {
    const dropped = log.toSpliced(seq, 1)
    expect(await verify(dropped)).toEqual({ ok: false, problem: 'dropped', writer, seq })
  })

  it('one event is moved', async () => {
    const moved = log.with(6_000, at(6_001)).with(6_001, at(6_000))
    expect(await verify(moved)).toEqual({ ok: false, problem: 'reordered', writer, seq: 6_000 })
    expect(await verify(moved, 1)).toMatchObject({ ok: true })
    const far = log.toSpliced(100, 1).toSpliced(9_000, 0, at(100))
    expect(await verify(far, 1)).toEqual({ ok: false, problem: 'reordered', writer, seq: 100 })
  })

  it('two events swap their places and their numbers', async () => {
    const renumbered = log
      .with(10, { ...at(11), seq: 10, prev: at(10).prev })
      .with(11, { ...at(10), seq: 11, prev: at(11).prev })
    expect(await verify(renumbered)).toEqual({ ok: false, problem: 'edited', writer, seq: 10 })
  })

  it.each([9_999, 5_000, 1, 0])('its end is cut off after %d', async (size) => {
    expect(await verify(log.slice(0, size))).toEqual({
      ok: false,
      problem: 'truncated',
      writer,
      seq: size,
    })
  })

  it('a part is told in two versions', async () => {
    const other = await retold(log.slice(0, 51), 50)
    const both = [...log.slice(0, 51), other[50] as AuditRecord, ...log.slice(51)]
    expect(await verify(both)).toEqual({ ok: false, problem: 'forked', writer, seq: 50 })
  })

  it('everything from one place on is told anew, with hashes that hold', async () => {
    const anew = await retold(log, 2_500)
    expect(await verifyAuditLog(anew)).toMatchObject({ ok: true })
    // The checkpoint of 2,000 agrees, that of 3,000 does not.
    expect(await verify(anew)).toEqual({ ok: false, problem: 'forked', writer, seq: 2_999 })
  })

  it('a record hangs on another chain', async () => {
    const loose = { ...at(30), prev: at(5).hash }
    const hung = log.with(30, { ...loose, hash: await auditHash(loose) })
    expect(await verify(hung)).toEqual({ ok: false, problem: 'forked', writer, seq: 30 })
  })

  it('a record comes twice: that is no harm', async () => {
    expect(await verify(log.toSpliced(400, 0, at(399)))).toMatchObject({ ok: true })
  })

  it.each([
    ['nothing', null],
    ['a string', 'x'],
    ['another version', { v: 2 }],
    ['a place that is none', { seq: -1 }],
    ['a hash that is none', { hash: 'x' }],
    ['a writer that is none', { writer: 'me\n' }],
    ['no event', { event: null }],
    ['a field too many', { note: 'x' }],
  ])('holds %s', async (_, change) => {
    const broken = typeof change === 'object' && change !== null ? { ...at(8), ...change } : change
    const verdict = await verify(log.with(8, broken as AuditRecord))
    expect(verdict).toMatchObject({ ok: false, problem: 'malformed' })
  })

  it('a checkpoint that others signed, or that says something else, is refused', async () => {
    const { publicKey: other } = await keyPair()
    expect(await verifyAuditLog(log, { checkpoints, publicKey: other })).toEqual({
      ok: false,
      problem: 'bad-checkpoint',
      writer,
      seq: 999,
    })
    for (const change of [{ size: 999 }, { hash: at(3).hash }, { atMs: 1 }, { signature: '!' }]) {
      const forged = [{ ...(checkpoints[0] as AuditCheckpoint), ...change }]
      const verdict = await verifyAuditLog(log, { checkpoints: forged, publicKey })
      expect(verdict).toMatchObject({ ok: false, problem: 'bad-checkpoint' })
    }
    await expect(verifyAuditLog(log, { checkpoints })).rejects.toMatchObject({
      code: 'ERR_KMS_CONFIG',
    })
  })

  it('a whole writer is missing', async () => {
    const { log: second } = await written(10, 1)
    const both = [...log, ...second]
    expect(await verify(both)).toMatchObject({ ok: true })
    expect(await verify(second)).toEqual({ ok: false, problem: 'truncated', writer, seq: 0 })
  })
})

describe('options that would check less than they say are refused', () => {
  it.each<[string, object]>([
    ['a misspelt name of the checkpoints', { checkpoint: [] }],
    ['a misspelt name beside its key', { checkpoints: [], publickey: 1 }],
    ['a slack that is NaN', { slack: Number.NaN }],
    ['a slack that is text', { slack: 'x' }],
    ['a slack below zero', { slack: -1 }],
    ['a slack without end', { slack: Infinity }],
    ['checkpoints that are null', { checkpoints: null }],
    ['one checkpoint that is not in a list', { checkpoints: {} }],
    ['a key that is none', { checkpoints: [], publicKey: {} }],
  ])('%s', async (_, options) => {
    await expect(verifyAuditLog([], options)).rejects.toMatchObject({ code: 'ERR_KMS_CONFIG' })
  })

  it('a key without checkpoints, one that signs and one on another curve', async () => {
    const { privateKey, publicKey } = await keyPair()
    const p384 = { name: 'ECDSA', namedCurve: 'P-384' }
    const { publicKey: other } = await crypto.subtle.generateKey(p384, true, ['sign', 'verify'])
    for (const options of [
      { publicKey },
      { checkpoints: [], publicKey: privateKey },
      { checkpoints: [], publicKey: other },
    ])
      await expect(verifyAuditLog([], options)).rejects.toMatchObject({ code: 'ERR_KMS_CONFIG' })
    expect(await verifyAuditLog([], { checkpoints: [], publicKey })).toMatchObject({ ok: true })
  })
})

describe('R32 what a log or a checkpoint holds never throws', () => {
  it.each<[string, unknown]>([
    ['null', null],
    ['nothing', {}],
    ['a signature that is a number', { signature: 5 }],
    ['a size that is text', { size: '1' }],
    ['a size of none', { size: 0 }],
    ['a field too many', { note: 'x' }],
    ['a function', { hash: () => 'x' }],
  ])('a checkpoint of %s', async (_, change) => {
    const { log, checkpoints, publicKey, trail } = await written(2)
    await trail.checkpoint()
    const isChange = typeof change === 'object' && change !== null && Object.keys(change).length > 0
    const bad = (isChange ? { ...checkpoints[0], ...change } : change) as AuditCheckpoint
    const verdict = await verifyAuditLog(log, { checkpoints: [...checkpoints, bad], publicKey })
    expect(verdict).toMatchObject({ ok: false, problem: 'bad-checkpoint' })
  })

  it.each<[string, object]>([
    ['keys of null', { keys: [null] }],
    ['keys that are none', { keys: 5 }],
    ['a bigint', { atMs: 1n }],
    ['an actor that is a number', { actor: 5 }],
    ['a key id that is a number', { keys: [{ provider: 'p', kekId: 5, kekVersion: '' }] }],
    ['a time that is text', { atMs: '1' }],
    ['an outcome that is none', { outcome: 'maybe' }],
    ['an operation that is an object', { operation: {} }],
  ])('an event with %s, hashed by whoever made it', async (_, change) => {
    const { log } = await written(1)
    const made = log[0] as AuditRecord
    const record = { ...made, event: { ...made.event, ...change } }
    const hash = await auditHash(record).catch(() => made.hash)
    const { writer } = record
    const verdict = await verifyAuditLog([{ ...record, hash }])
    expect(verdict).toMatchObject({ ok: false, writer, seq: 0 })
    expect(['edited', 'malformed']).toContain((verdict as { problem: string }).problem)
  })

  it('a field that throws, or says something else each time, and a name that is none', async () => {
    const { log } = await written(1)
    const throwing = {
      ...log[0],
      get writer(): string {
        throw new Error('canary')
      },
    } as AuditRecord
    const malformed = { ok: false, problem: 'malformed', writer: '', seq: -1 }
    expect(await verifyAuditLog([throwing])).toEqual(malformed)
    let reads = 0
    const changing = {
      ...log[0],
      get hash(): string {
        reads++
        return log[0]?.hash ?? ''
      },
    } as AuditRecord
    expect(await verifyAuditLog([changing])).toMatchObject({ ok: true })
    expect(reads).toBe(1)
    const odd = { writer: { toString: 5 }, seq: 'x' } as unknown as AuditRecord
    expect(await verifyAuditLog([odd])).toEqual(malformed)
  })
})
