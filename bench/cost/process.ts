/** Runs the cipher for a million operations under a clock of its own, and counts the calls of the KMS. */
import { sharedDataKeys } from '../../src/data-keys/shared/index.ts'
import {
  CACHE_PRESETS,
  CachedKms,
  EnvelopeCipher,
  type Network,
  PRESETS,
  type Runtime,
} from '../../src/index.ts'
import { webNetwork } from '../../src/runtime/index.ts'
import { MemoryKeyValueStore } from '../../src/stores/index.ts'
import { Random } from '../../test/simulation/random.ts'
import { counting } from '../counts.ts'
import { newLookupKms } from './lookup-kms.ts'
import { PER_SECOND, type Workload, WORKLOADS } from './workloads.ts'

const START_MS = Date.UTC(2026, 0, 1)
/** A reader picks one of so many envelopes that were written last. */
const RECENT = 10_000
/** Operations that are in flight at once. */
const AT_ONCE = 20

/** The limits of each preset's cache, and the names of the presets that have them. */
const settings = new Map<string, object>()
for (const [name, preset] of Object.entries(PRESETS)) {
  const limits = {
    ttlMs: preset.cacheTtlMs,
    maxStaleMs: preset.cacheMaxStaleMs,
    maxStaleWriteMs: preset.cacheMaxStaleMs,
    encryptForMs: preset.encryptForMs,
    ...(preset.maxMessages !== undefined && { maxMessages: preset.maxMessages }),
  }
  const [same] =
    [...settings].find(([, other]) => JSON.stringify(other) === JSON.stringify(limits)) ?? []
  if (same !== undefined) settings.delete(same)
  settings.set(same === undefined ? name : `${same}, ${name}`, limits)
}

interface Isolate {
  readonly cipher: EnvelopeCipher
  left: number
}

async function run(workload: Workload, preset: object, operations: number): Promise<object> {
  const random = new Random(19, workload.name)
  const pick = (bound: number): number => random.int(0, bound - 1)
  let nowMs = START_MS
  const runtime: Runtime = {
    now: () => nowMs,
    randomFill: (bytes) => crypto.getRandomValues(bytes),
  }
  const network: Network = { ...webNetwork, jitter: () => random.next() }
  const calls = { generateDataKey: 0, unwrapDataKey: 0 }
  const kms = counting(newLookupKms(), (name) => {
    calls[name as keyof typeof calls] += 1
  })
  const store = new MemoryKeyValueStore({ runtime })
  const storeAuthKey = crypto.getRandomValues(new Uint8Array(32))
  const open = (): Isolate => {
    const shared = workload.isShared
      ? { shared: sharedDataKeys({ store, partition: 'cost', storeAuthKey }) }
      : {}
    const keys = new CachedKms({ kms, runtime, network, ...preset, ...shared })
    return { cipher: new EnvelopeCipher({ keys, runtime }), left: workload.lifeOperations }
  }
  const isolates = Array.from({ length: workload.isolates }, open)
  const pending: Promise<unknown>[] = []
  const defer = (work: Promise<unknown>): unknown => pending.push(work)
  const written: { readonly envelope: Uint8Array; readonly tenant: string }[] = []
  const plaintext = new Uint8Array(64)
  let count = 0

  async function operate(): Promise<void> {
    const place = pick(workload.isolates)
    const isolate = isolates[place] ?? open()
    isolate.left -= 1
    if (isolate.left === 0) isolates[place] = open()
    const old =
      random.chance(0.5) || written.length === 0 ? undefined : written[pick(written.length)]
    const tenant = old?.tenant ?? `tenant-${String(pick(workload.tenants))}`
    const options = { context: { tenant }, defer }
    if (old !== undefined) await isolate.cipher.decrypt(old.envelope, options)
    else {
      const envelope = await isolate.cipher.encrypt(plaintext, options)
      written[count % RECENT] = { envelope, tenant }
      count += 1
    }
  }

  for (let at = 0; at < operations; at += AT_ONCE) {
    nowMs = START_MS + (at * 1_000) / PER_SECOND
    await Promise.all(Array.from({ length: AT_ONCE }, operate))
    await Promise.all(pending.splice(0))
  }
  return calls
}

/** Without a cache each operation is a call: so fewer operations will do. */
const UNCACHED = 20_000

async function report(
  workload: Workload,
  preset: string,
  limits: object,
  operations: number,
): Promise<void> {
  const calls = await run(workload, limits, operations)
  console.log(JSON.stringify({ workload: workload.name, preset, operations, ...calls }))
}

const operations = Number(process.argv[2])
const [from = 1, to = WORKLOADS.length] = (process.argv[3] ?? '')
  .split('-')
  .filter(Boolean)
  .map(Number)
for (const workload of WORKLOADS.slice(from - 1, to)) {
  await report(workload, 'no cache', CACHE_PRESETS.disabled, Math.min(UNCACHED, operations))
  for (const [preset, limits] of settings) await report(workload, preset, limits, operations)
}
