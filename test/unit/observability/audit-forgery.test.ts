import { beforeAll, describe, expect, it } from 'vitest'
import {
  type AuditCheckpoint,
  type AuditRecord,
  toOcsf,
  verifyAuditLog,
} from '../../../src/observability/index.ts'
import { call, checkpointing, macKey, setup, written } from './audit-fixture.ts'

// The attacker can change the log, but neither the checkpoints nor the keys.

describe.each([true, false])('200 isolates of 20 operations each, with a MAC: %s', (mac) => {
  let log: AuditRecord[]
  let checkpoints: readonly AuditCheckpoint[]
  let publicKey: CryptoKey
  beforeAll(async () => {
    const place = await checkpointing()
    log = []
    for (let isolate = 0; isolate < 200; isolate++) {
      const chain = { checkpoints: place.options, ...(mac && { macKey }) }
      const { kms, world, log: own } = setup({ chain, actor: () => `user-${isolate}` })
      for (let i = 0; i < isolate; i++) world.randomFill(new Uint8Array(16))
      for (let i = 0; i < 20; i++) await kms.generateDataKey(call)
      log.push(...own)
    }
    ;({ checkpoints, publicKey } = place)
  })
  const verify = (records: readonly AuditRecord[]) =>
    verifyAuditLog(records, { checkpoints, publicKey, ...(mac && { macKey }) })
  const named = (verdict: Awaited<ReturnType<typeof verify>>): Set<string> =>
    new Set([...verdict.problems, ...verdict.uncovered].map(({ writer }) => writer))

  it('each writer has a checkpoint from its birth on, and what it does not cover is named', async () => {
    const verdict = await verify(log)
    expect(log).toHaveLength(4_000)
    expect(checkpoints).toHaveLength(200)
    expect(verdict).toMatchObject({ ok: false, problems: [] })
    expect(verdict.uncovered).toHaveLength(200)
    expect(verdict.uncovered.every((gap) => gap.isAuthentic === mac && gap.from === 1)).toBe(true)
  })

  it('a writer is dropped', async () => {
    const [victim] = log.slice(2_000).map(({ writer }) => writer)
    const verdict = await verify(log.filter(({ writer }) => writer !== victim))
    expect(verdict.ok).toBe(false)
    expect(verdict.problems).toEqual([{ kind: 'truncated', writer: victim, seq: 0 }])
  })

  it('everything is deleted', async () => {
    const verdict = await verify([])
    expect(verdict.ok).toBe(false)
    expect(verdict.problems).toHaveLength(200)
  })

  it('every actor is changed', async () => {
    const changed = log.map((one) => ({ ...one, event: { ...one.event, actor: 'nobody' } }))
    const verdict = await verify(changed)
    expect(verdict.ok).toBe(false)
    expect(verdict.problems.every(({ kind }) => kind === 'edited')).toBe(true)
    expect(named(verdict).size).toBe(200)
  })

  it('a writer is invented', async () => {
    const { log: invented } = await written(5, { drawn: 500, mac: false })
    const name = invented[0]?.writer as string
    const verdict = await verify([...log, ...invented])
    expect(verdict.ok).toBe(false)
    expect(named(verdict)).toContain(name)
    if (mac) expect(verdict.problems).toEqual([{ kind: 'edited', writer: name, seq: 0 }])
  })
})

/** Each way to change one character. */
const edits: readonly ((text: string, at: number) => string)[] = [
  (text, at) => text.slice(0, at) + (text[at] === '0' ? '1' : '0') + text.slice(at + 1),
  (text, at) => text.slice(0, at) + (text[at] === ' ' ? '"' : ' ') + text.slice(at + 1),
  (text, at) => text.slice(0, at) + text.slice(at + 1),
  (text, at) => text.slice(0, at) + (text[at] ?? '') + text.slice(at),
  (text, at) => text.slice(0, at) + '\\u0061' + text.slice(at),
  (text, at) => text.slice(0, at),
]

describe.each(['record', 'ocsf'] as const)('any byte of any line of a log, as %s', (format) => {
  it.each([
    ['MACed, and covered by a checkpoint', true, true],
    ['MACed', true, false],
    ['covered by a checkpoint', false, true],
  ] as const)(
    '%s: an edit is refused',
    async (_, mac, isCovered) => {
      const { log, trail, checkpoints, publicKey } = await written(4, { mac })
      await trail.checkpoint()
      const lines = log.map((one) => JSON.stringify(format === 'ocsf' ? toOcsf(one) : one))
      const options = { ...(isCovered && { checkpoints, publicKey }), ...(mac && { macKey }) }
      const verify = (text: readonly string[]) => verifyAuditLog(text, options)
      expect((await verify(lines)).problems).toEqual([])
      expect((await verify(lines)).ok).toBe(isCovered)
      let tried = 0
      for (const [i, line] of lines.entries())
        for (let at = 0; at < line.length; at += format === 'ocsf' ? 5 : 1)
          for (const edit of edits) {
            const edited = edit(line, at)
            if (edited === line) continue
            tried += 1
            const { ok, problems } = await verify(lines.with(i, edited))
            if (ok || problems.length === 0) throw new Error(`accepted: ${edited}`)
          }
      expect(tried).toBeGreaterThan(700)
    },
    60_000,
  )
})

it('without a MAC or a checkpoint nothing is ok, and all of it is named', async () => {
  const { log } = await written(4, { mac: false })
  const { ok, uncovered } = await verifyAuditLog(log)
  expect(ok).toBe(false)
  expect(uncovered).toMatchObject([{ from: 0, to: 3, isAuthentic: false }])
})

it('any byte of any checkpoint: an edit is refused', async () => {
  const { log, trail, checkpoints, publicKey } = await written(2)
  await trail.checkpoint()
  for (const [i, one] of checkpoints.entries()) {
    const text = JSON.stringify(one)
    for (let at = 0; at < text.length; at++)
      for (const edit of edits) {
        let edited: AuditCheckpoint
        try {
          edited = JSON.parse(edit(text, at)) as AuditCheckpoint
        } catch {
          continue
        }
        if (JSON.stringify(edited) === text) continue
        const given = checkpoints.with(i, edited)
        const { ok } = await verifyAuditLog(log, { checkpoints: given, publicKey, macKey })
        if (ok) throw new Error(`accepted: ${JSON.stringify(edited)}`)
      }
  }
})

it('fields of OCSF outside `unmapped` say what the record says', async () => {
  const { log, trail, checkpoints, publicKey } = await written(2)
  await trail.checkpoint()
  const events = log.map(toOcsf)
  const options = { checkpoints, publicKey, macKey }
  expect((await verifyAuditLog(events, options)).ok).toBe(true)
  const changes = [
    { actor: { user: { name: 'root' } } },
    { status_id: 2 },
    { note: 1 },
    { time: 1 },
  ]
  for (const change of changes) {
    const { problems } = await verifyAuditLog(
      [{ ...events[0], ...change }, ...events.slice(1)],
      options,
    )
    expect(problems).toMatchObject([{ kind: 'edited', seq: 0 }])
  }
})
