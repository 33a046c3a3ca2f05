import { standardsOf } from '../../src/checks/index.ts'
import { CIRCUIT } from '../../src/resilience/index.ts'
import { SharedCircuit } from '../../src/resilience/shared-circuit.ts'
import type { DataKeyStore, KeyValueStore } from '../../src/ports/index.ts'
import { webNetwork, webRuntime } from '../../src/runtime/index.ts'
import { StoreRepairLog } from '../../src/stores/index.ts'
import { type ContractCase, demand } from '../../src/testing/contract-case.ts'
import { randomLetters } from '../../src/testing/samples.ts'

// Cases of the state that the resilience layer keeps, for any strong store.

const rules = { ...standardsOf(CIRCUIT), resetTimeoutMs: 60_000 }
const ports = { runtime: webRuntime, network: webNetwork, observer: undefined }

/** A breaker's state that isolates share. */
export function sharedCircuitContract(
  create: () => KeyValueStore | Promise<KeyValueStore>,
): readonly ContractCase[] {
  const isolates = async (count: number): Promise<SharedCircuit[]> => {
    const key = `circuit/${randomLetters()}`
    const made = Array.from({ length: count }, async () => {
      return new SharedCircuit(await create(), key, rules, ports)
    })
    return Promise.all(made)
  }
  /** Resolves when all deferred work is done. */
  const settled = async (work: (defer: (one: Promise<unknown>) => void) => void): Promise<void> => {
    const deferred: Promise<unknown>[] = []
    work((one) => deferred.push(one))
    await Promise.all(deferred)
  }
  return [
    {
      name: 'R24 gives the lease of a probe to one of many isolates',
      run: async () => {
        const leases = await Promise.all((await isolates(6)).map((one) => one.lease({})))
        demand(leases.filter(Boolean).length === 1, 'not exactly one may probe')
      },
    },
    {
      name: 'R24 tells an isolate what another one told',
      run: async () => {
        const [teller, listener] = await isolates(2)
        await settled((defer) => teller?.tell('open', { defer }))
        await settled((defer) => void listener?.news({ defer }))
        demand(listener?.news({})?.phase === 'open', 'no news of an open circuit')
      },
    },
  ]
}

/** Notes of missing wraps. `create` gives a store of their own. */
export function repairLogContract(
  create: () => DataKeyStore | Promise<DataKeyStore>,
): readonly ContractCase[] {
  const missing = (provider: string): { dataKey: string; providers: string[]; atMs: number } => ({
    dataKey,
    providers: [provider],
    atMs: 5,
  })
  const dataKey = `${randomLetters()}.1767225600000`
  return [
    {
      name: 'R26 keeps the notes of writers that meet, until they are done',
      run: async () => {
        const log = new StoreRepairLog(await create())
        await Promise.all(['a', 'b', 'c'].map((provider) => log.note(missing(provider), {})))
        const { notes } = await log.list(undefined, 10, {})
        const found = notes.find((note) => note.dataKey === dataKey)
        demand(found?.providers.toSorted().join() === 'a,b,c', 'a note is lost')
        await log.done(missing('a'), {})
        demand((await log.list(undefined, 10, {})).notes.length === 0, 'it is not done')
      },
    },
  ]
}
