import { expect, it } from 'vitest'
import {
  type AuditRecord,
  KmsAuditTrail,
  toOcsf,
  verifyAuditLog,
} from '../../../src/observability/index.ts'
import { KeyRotationManager } from '../../../src/rotation/key-rotation-manager.ts'
import { runRotation } from '../../../src/rotation/run-rotation.ts'
import { Clock, kmsAt } from './fixture.ts'
import { tableOf } from './tables.ts'

const macKey = new Uint8Array(32).fill(9)

it('lifecycle steps are records of the audit trail, which verify and have a form in OCSF', async () => {
  const log: AuditRecord[] = []
  const sink = {
    write: (records: readonly AuditRecord[]) => Promise.resolve(void log.push(...records)),
  }
  const audit = new KmsAuditTrail({ mode: 'closed', sink, chain: { macKey }, actor: () => 'ops' })
  const source = await tableOf(1)
  const options = { kms: kmsAt(2), sources: [source], audit, ...new Clock().ports }
  const manager = new KeyRotationManager(options)
  await runRotation(manager)
  await manager.pause()
  const operations = log.map(({ event }) => event.operation)
  expect(operations).toEqual(['startRotation', 'finishRotation', 'pauseRotation'])
  expect(log.every(({ event }) => event.actor === 'ops')).toBe(true)
  const verdict = await verifyAuditLog(
    log.map((record) => JSON.stringify(toOcsf(record))),
    { macKey },
  )
  expect(verdict.problems).toEqual([])
  expect(toOcsf(log[0] as AuditRecord)).toMatchObject({
    activity_id: 99,
    activity_name: 'startRotation',
  })
})

it('a job does not begin where the audit trail is closed and its record is not safe', async () => {
  const sink = { write: () => Promise.reject(new Error('disk full')) }
  const audit = new KmsAuditTrail({ mode: 'closed', sink, chain: { macKey }, timeoutMs: 50 })
  const source = await tableOf(1)
  const manager = new KeyRotationManager({ kms: kmsAt(2), sources: [source], audit })
  await expect(runRotation(manager)).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
  expect(source.calls).toEqual([])
})

it('a sink that is down is an audit loss with the name of the step', async () => {
  const lost: unknown[] = []
  const sink = { write: () => Promise.reject(new Error('disk full')) }
  const observer = { observe: (event: object) => void lost.push(event) }
  const audit = new KmsAuditTrail({ mode: 'open', sink, timeoutMs: 20, observer })
  const manager = new KeyRotationManager({ kms: kmsAt(2), sources: [await tableOf(0)], audit })
  await runRotation(manager)
  await new Promise((resolve) => setTimeout(resolve, 200))
  expect(lost).toContainEqual({
    type: 'audit-loss',
    provider: 'rotation',
    operation: 'startRotation',
  })
})
