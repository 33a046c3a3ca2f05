import { beforeAll, describe, expect, it } from 'vitest'
import { encodeBase64Url } from '../../../src/bytes/index.ts'
import { plainDigest } from '../../../src/observability/audit-keys.ts'
import { recordBytes } from '../../../src/observability/audit-record.ts'
import {
  type AuditCheckpoint,
  type AuditLogEntry,
  type AuditRecord,
  toOcsf,
  verifyAuditLog,
} from '../../../src/observability/index.ts'
import { keyPair, macKey, written } from './audit-fixture.ts'

/** A record with a hash that holds, as anyone can make it who has no key. */
async function rehashed(record: AuditRecord, prev: string): Promise<AuditRecord> {
  const link = { alg: 'SHA-256', prev } as const
  const hash = encodeBase64Url(await plainDigest(recordBytes({ ...record, link })))
  return { ...record, link: { ...link, hash } }
}

/** The chain from here on told anew. */
async function retold(records: readonly AuditRecord[], from: number): Promise<AuditRecord[]> {
  const out = records.slice(0, from)
  for (const record of records.slice(from)) {
    const prev = out.at(-1)?.link?.hash ?? record.link?.prev ?? ''
    const event = record.seq === from ? { ...record.event, actor: 'somebody else' } : record.event
    out.push(await rehashed({ ...record, event }, prev))
  }
  return out
}

describe.each([
  ['hashes and checkpoints', false],
  ['MACs and checkpoints', true],
] as const)('R32 a log of 1,000 events with %s', (_, mac) => {
  let log: readonly AuditRecord[]
  let checkpoints: readonly AuditCheckpoint[]
  let publicKey: CryptoKey
  let writer: string
  beforeAll(async () => {
    const made = await written(1_000, { every: 200, mac })
    await made.trail.checkpoint()
    ;({ log, checkpoints, publicKey } = made)
    writer = log[0]?.writer ?? ''
  })
  const verify = (records: Iterable<AuditLogEntry>, slack = 0) =>
    verifyAuditLog(records, { checkpoints, publicKey, slack, ...(mac && { macKey }) })
  const at = (seq: number): AuditRecord => log[seq] as AuditRecord

  it('holds, also after a way through JSON and a store that sorts fields', async () => {
    const stored = log.map((record) => {
      const event = Object.fromEntries(Object.entries(record.event).sort())
      return JSON.parse(JSON.stringify({ ...record, event })) as AuditRecord
    })
    const coverage = { records: 1_000, covered: 1_000, isAuthentic: mac, lost: 0 }
    const good = {
      ok: true,
      problems: [],
      uncovered: [],
      lost: 0,
      writers: new Map([[writer, coverage]]),
    }
    expect(await verify(stored)).toEqual(good)
    expect(await verify(log.map((record) => JSON.stringify(record)))).toEqual(good)
    expect(checkpoints.map(({ size }) => size)).toEqual([1, 201, 401, 601, 801, 1_000])
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
    const values = { atMs: 1, durationMs: 9, keys: [], operation: 'rotateKey', outcome: 'failure' }
    const value = { ...values, dataKey: '' }[field as 'atMs'] ?? 'x'
    const event = { ...at(521).event, [field]: value }
    const verdict = await verify(log.with(521, { ...at(521), event }))
    expect(verdict.problems).toEqual([{ kind: 'edited', writer, seq: 521 }])
    expect(verdict.ok).toBe(false)
    expect(verdict.uncovered).toMatchObject([{ writer, from: 401, isAuthentic: false }])
  })

  it('one event gets a field that no hash covers', async () => {
    const event = { ...at(77).event, approvedBy: 'root' }
    const { problems } = await verify(log.with(77, { ...at(77), event }))
    expect(problems).toEqual([{ kind: 'edited', writer, seq: 77 }])
  })

  it('a loss is invented, or a record loses its hash', async () => {
    const { link: _link, ...bare } = at(9)
    for (const change of [{ ...at(9), lost: 1 }, bare])
      expect((await verify(log.with(9, change))).problems).toEqual([
        { kind: 'edited', writer, seq: 9 },
      ])
  })

  it.each([0, 1, 500, 998])('one event is dropped: %d', async (seq) => {
    const { problems, ok } = await verify(log.toSpliced(seq, 1))
    expect(problems).toEqual([{ kind: 'dropped', writer, seq }])
    expect(ok).toBe(false)
  })

  it('one event is moved', async () => {
    const moved = log.with(600, at(601)).with(601, at(600))
    expect((await verify(moved)).problems).toEqual([{ kind: 'reordered', writer, seq: 600 }])
    expect((await verify(moved, 1)).ok).toBe(true)
    const far = log.toSpliced(100, 1).toSpliced(900, 0, at(100))
    expect((await verify(far, 1)).problems).toEqual([{ kind: 'reordered', writer, seq: 100 }])
  })

  it('two events swap their places and their numbers', async () => {
    const renumbered = log.with(10, { ...at(11), seq: 10 }).with(11, { ...at(10), seq: 11 })
    expect((await verify(renumbered)).problems).toEqual([{ kind: 'edited', writer, seq: 10 }])
  })

  it.each([999, 500, 1, 0])('its end is cut off after %d', async (size) => {
    const { problems, ok } = await verify(log.slice(0, size))
    expect(problems).toEqual([{ kind: 'truncated', writer, seq: size }])
    expect(ok).toBe(false)
  })

  it('a part is told in two versions', async () => {
    const other = await rehashed(
      { ...at(50), event: { ...at(50).event, actor: 'x' } },
      at(50).link?.prev ?? '',
    )
    const { problems } = await verify(log.toSpliced(51, 0, other))
    expect(problems).toEqual([{ kind: mac ? 'edited' : 'forked', writer, seq: 50 }])
  })

  it('everything from one place on is told anew, with hashes that hold', async () => {
    const anew = await retold(log, 450)
    const { problems, uncovered } = await verify(anew)
    // Without a MAC the checkpoint of 401 agrees, that of 601 does not.
    expect(problems).toEqual([
      mac ? { kind: 'edited', writer, seq: 450 } : { kind: 'forked', writer, seq: 600 },
    ])
    expect(uncovered).toMatchObject([{ from: 401 }])
  })

  it('a record hangs on another chain', async () => {
    const loose = await rehashed(at(30), at(5).link?.hash ?? '')
    const { problems } = await verify(log.with(30, loose))
    expect(problems).toEqual([{ kind: mac ? 'edited' : 'forked', writer, seq: 30 }])
  })

  it('a record comes twice: that is harmless', async () => {
    expect((await verify(log.toSpliced(400, 0, at(399)))).ok).toBe(true)
  })

  it.each<[string, unknown]>([
    ['nothing', null],
    ['a text that is not JSON', 'x'],
    ['another version', { v: 2 }],
    ['a place that is none', { seq: -1 }],
    ['a hash that is none', { link: { alg: 'SHA-256', prev: 'x', hash: 'x' } }],
    ['an algorithm that is none', { link: { alg: 'MD5' } }],
    ['a writer that is none', { writer: 'me\n' }],
    ['no event', { event: null }],
    ['no count of losses', { lost: undefined }],
    ['a field too many', { note: 'x' }],
  ])('an entry is broken: %s', async (_name, change) => {
    const broken = typeof change === 'object' && change !== null ? { ...at(8), ...change } : change
    const { problems, ok } = await verify(log.with(8, broken as AuditRecord))
    expect(problems[0]).toMatchObject({ kind: 'malformed' })
    expect(ok).toBe(false)
  })

  it('a checkpoint that others signed, or that says something else, is refused', async () => {
    const { publicKey: other } = await keyPair()
    const foreign = await verifyAuditLog(log, {
      checkpoints,
      publicKey: other,
      ...(mac && { macKey }),
    })
    expect(foreign.problems).toHaveLength(checkpoints.length)
    expect(foreign.problems[0]).toEqual({ kind: 'bad-checkpoint', writer, seq: 0 })
    expect(foreign.uncovered).toMatchObject([{ writer, from: 0, to: 999 }])
    for (const change of [
      { size: 999 },
      { hash: at(3).link?.hash },
      { atMs: 1 },
      { signature: '!' },
    ]) {
      const forged = [{ ...(checkpoints[0] as AuditCheckpoint), ...change } as AuditCheckpoint]
      const { problems } = await verifyAuditLog(log, { checkpoints: forged, publicKey })
      expect(problems).toContainEqual(expect.objectContaining({ kind: 'bad-checkpoint' }))
    }
  })

  it('a whole writer is missing, or another one is invented', async () => {
    const second = await written(10, { drawn: 1, mac })
    const both = await verify([...log, ...second.log])
    const name = second.log[0]?.writer as string
    expect(both.ok).toBe(false)
    expect(both.uncovered).toEqual([{ writer: name, from: 0, to: 9, isAuthentic: mac }])
    expect((await verify(second.log)).problems).toEqual([{ kind: 'truncated', writer, seq: 0 }])
    const writers = [writer, 'B'.repeat(22)]
    const listed = await verifyAuditLog([...log, ...second.log], { writers })
    expect(listed.problems).toEqual([
      { kind: 'unknown-writer', writer: name, seq: -1 },
      { kind: 'missing-writer', writer: 'B'.repeat(22), seq: 0 },
    ])
  })
})

describe('what proves nothing is not ok', () => {
  it('an empty log without checkpoints', async () => {
    const { publicKey } = await keyPair()
    expect((await verifyAuditLog([])).ok).toBe(false)
    expect((await verifyAuditLog([], { macKey })).ok).toBe(false)
    expect((await verifyAuditLog([], { checkpoints: [], publicKey })).ok).toBe(true)
    expect((await verifyAuditLog([], { writers: [] })).ok).toBe(true)
  })

  it('records after the last checkpoint, MACed or not: they are named', async () => {
    const { log, checkpoints, publicKey } = await written(20)
    const { writer } = log[0] as AuditRecord
    const withMac = await verifyAuditLog(log, { checkpoints, publicKey, macKey })
    expect(withMac).toMatchObject({ ok: false, problems: [] })
    expect(withMac.uncovered).toEqual([{ writer, from: 1, to: 19, isAuthentic: true }])
  })

  it('a checkpoint of MACed records without their key: their text may be anything', async () => {
    const { log, trail, checkpoints, publicKey } = await written(5)
    await trail.checkpoint()
    const edited = log.map((one) => ({ ...one, event: { ...one.event, actor: 'other' } }))
    const { ok, uncovered } = await verifyAuditLog(edited, { checkpoints, publicKey })
    expect(ok).toBe(false)
    expect(uncovered).toMatchObject([{ from: 0, to: 4, isAuthentic: false }])
  })

  it('another key than that of the MACs', async () => {
    const { log } = await written(5)
    const { problems } = await verifyAuditLog(log, { macKey: new Uint8Array(32) })
    expect(problems).toMatchObject([{ kind: 'edited', seq: 0 }])
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
    ['checkpoints without a key', { checkpoints: [] }],
    ['a key that is none', { checkpoints: [], publicKey: {} }],
    ['a MAC key that is none', { macKey: 'x' }],
    ['writers that are none', { writers: ['me'] }],
    ['writers that are not a list', { writers: 'me' }],
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
    const all = [...checkpoints, bad]
    const { ok, problems } = await verifyAuditLog(log, { checkpoints: all, publicKey, macKey })
    expect(ok).toBe(false)
    expect(problems).toMatchObject([{ kind: 'bad-checkpoint' }])
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
    ['an operation that is none', { operation: 'toString' }],
  ])('an event with %s, hashed by whoever made it', async (_, change) => {
    const { log } = await written(1, { mac: false })
    const made = log[0] as AuditRecord
    const record = { ...made, event: { ...made.event, ...change } }
    const hashed = await rehashed(record, made.link?.prev ?? '').catch(() => record)
    const { problems } = await verifyAuditLog([hashed])
    expect(problems).toMatchObject([{ writer: made.writer, seq: 0 }])
    expect(['edited', 'malformed']).toContain(problems[0]?.kind)
  })

  it('a field that throws, or says something else each time, and a name that is none', async () => {
    const { log } = await written(1)
    const throwing = {
      ...log[0],
      get writer(): string {
        throw new Error('canary')
      },
    } as AuditRecord
    const malformed = [{ kind: 'malformed', writer: '', seq: -1 }]
    expect((await verifyAuditLog([throwing])).problems).toEqual(malformed)
    let reads = 0
    const changing = {
      ...log[0],
      get seq(): number {
        reads++
        return 0
      },
    } as AuditRecord
    expect((await verifyAuditLog([changing], { macKey })).problems).toEqual([])
    expect(reads).toBe(1)
    const odd = { writer: { toString: 5 }, seq: 'x' } as unknown as AuditRecord
    expect((await verifyAuditLog([odd])).problems).toEqual(malformed)
  })

  it('many broken lines make a bounded list', async () => {
    const lines = Array.from({ length: 5_000 }, () => 'broken')
    expect((await verifyAuditLog(lines)).problems).toHaveLength(1_000)
  })

  it.each<[string, (event: Record<string, unknown>) => unknown]>([
    ['a BigInt', (event) => ({ ...event, time: 1n })],
    ['a BigInt beside it', (event) => ({ ...event, extra: { a: [1n] } })],
    ['a cycle', (event) => Object.assign(event, { metadata: event })],
    ['a cycle through a list', (event) => Object.assign(event, { resources: [event] })],
    ['a depth of 2,000', (event) => Object.assign(event, { actor: deep(2_000) })],
    ['a depth of 200,000', (event) => Object.assign(event, { actor: deep(200_000) })],
    ['a Map', (event) => ({ ...event, actor: new Map() })],
    ['a function', (event) => ({ ...event, actor: () => 'x' })],
  ])('an OCSF event with %s', async (_, change) => {
    const { log } = await written(1)
    const event = { ...toOcsf(log[0] as AuditRecord) }
    expect((await verifyAuditLog([event], { macKey })).problems).toEqual([])
    const changed = change(event) as AuditLogEntry
    const { problems, ok } = await verifyAuditLog([changed], { macKey })
    expect(ok).toBe(false)
    expect(['edited', 'malformed']).toContain(problems[0]?.kind)
  })
})

function deep(levels: number): object {
  let value: object = {}
  for (let i = 0; i < levels; i++) value = { value }
  return value
}
