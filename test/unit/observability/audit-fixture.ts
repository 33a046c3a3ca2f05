import type { KmsAuditTrailOptions } from '../../../src/observability/audit-trail.ts'
import {
  type AuditCheckpoint,
  type AuditRecord,
  KmsAuditTrail,
} from '../../../src/observability/index.ts'
import { FakeWorld } from '../../support/fake-world.ts'
import { ScriptedKms } from '../../support/scripted-kms.ts'

export const DATA_KEY = `${'A'.repeat(43)}.1767225600000`
export const call = { context: { tenant: 'canary-tenant', 'edge-kms:dk': DATA_KEY } }

export const keyPair = (): Promise<CryptoKeyPair> =>
  crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])

/** A trail over a scripted KMS, with everything that left it. */
export function setup(options: Partial<KmsAuditTrailOptions> = {}) {
  const world = new FakeWorld()
  const inner = new ScriptedKms()
  const log: AuditRecord[] = []
  const sink = {
    before: (): void | Promise<void> => undefined,
    async write(records: readonly AuditRecord[]): Promise<void> {
      await sink.before()
      log.push(...records)
    },
  }
  const trail = new KmsAuditTrail({ sink, mode: 'closed', ...world.ports, ...options })
  return { world, inner, log, sink, trail, kms: trail.around(inner) }
}

/** A log of so many operations by one writer, and its checkpoints. */
export async function written(size: number, drawn = 0) {
  const { privateKey: key, publicKey } = await keyPair()
  const checkpoints: AuditCheckpoint[] = []
  const write = (checkpoint: AuditCheckpoint): Promise<void> => {
    checkpoints.push(checkpoint)
    return Promise.resolve()
  }
  const all = setup({ checkpoints: { key, write, every: 1_000 } })
  for (let i = 0; i < drawn; i++) all.world.randomFill(new Uint8Array(16))
  for (let i = 0; i < size; i++) await all.kms.generateDataKey(call)
  return { ...all, checkpoints, publicKey }
}
