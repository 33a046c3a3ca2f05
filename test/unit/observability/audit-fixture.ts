import type { KmsAuditTrailOptions } from '../../../src/observability/audit-trail.ts'
import {
  type AuditChainOptions,
  type AuditCheckpoint,
  type AuditCheckpoints,
  type AuditRecord,
  KmsAuditTrail,
} from '../../../src/observability/index.ts'
import { FakeWorld } from '../../support/fake-world.ts'
import { ScriptedKms } from '../../support/scripted-kms.ts'

export const DATA_KEY = `${'A'.repeat(43)}.1767225600000`
export const call = { context: { tenant: 'canary-tenant', 'edge-kms:dk': DATA_KEY } }
export const macKey: Uint8Array = new Uint8Array(32).fill(9)

export const keyPair = (): Promise<CryptoKeyPair> =>
  crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])

/** A trail over a scripted KMS, with everything that left it. */
export function setup(options: Partial<KmsAuditTrailOptions> = {}) {
  const world = new FakeWorld()
  const inner = new ScriptedKms()
  const log: AuditRecord[] = []
  const sink = {
    before: (): void | Promise<void> => undefined,
    sizes: [] as number[],
    async write(records: readonly AuditRecord[]): Promise<void> {
      await sink.before()
      sink.sizes.push(records.length)
      log.push(...records)
    },
  }
  const trail = new KmsAuditTrail({
    sink,
    mode: 'closed',
    chain: { macKey },
    ...world.ports,
    ...options,
  })
  return { world, inner, log, sink, trail, kms: trail.around(inner) }
}

/** A place for checkpoints, and the options that fill it. */
export async function checkpointing(options: Partial<AuditCheckpoints> = {}) {
  const { privateKey: key, publicKey } = await keyPair()
  const checkpoints: AuditCheckpoint[] = []
  const state = { before: (): void | Promise<void> => undefined, attempts: 0 }
  const write = async (checkpoint: AuditCheckpoint): Promise<void> => {
    state.attempts += 1
    await state.before()
    checkpoints.push(checkpoint)
  }
  return { options: { key, write, ...options }, checkpoints, publicKey, state }
}

/** A log of so many operations by one writer, and its checkpoints: at 1, and at each multiple of `every`. */
export async function written(
  size: number,
  { drawn = 0, every = 1_000, mac = true }: { drawn?: number; every?: number; mac?: boolean } = {},
) {
  const place = await checkpointing({ every })
  const chain: AuditChainOptions = { checkpoints: place.options, ...(mac && { macKey }) }
  const all = setup({ chain })
  // Another writer's name.
  for (let i = 0; i < drawn; i++) all.world.randomFill(new Uint8Array(16))
  for (let i = 0; i < size; i++) await all.kms.generateDataKey(call)
  return { ...all, ...place }
}
