import type { DataKeyStore, KeyValueStore } from '../../src/ports/index.ts'
import { webRuntime } from '../../src/runtime/index.ts'
import {
  CacheApiStore,
  D1DataKeyStore,
  type D1DatabaseBinding,
  D1KeyValueStore,
  DurableObjectDataKeyStore,
  DurableObjectKeyValueStore,
  EdgeKmsStoreObject,
  type StoreObjectNamespace,
  type WebCache,
  type WorkersKvNamespace,
  WorkersKvStore,
} from '../../adapters/workers/index.ts'
import {
  type ContractCase,
  dataKeyStoreContract,
  keyValueStoreContract,
} from '../../src/testing/index.ts'
import { chainActor, linkOf, putLink, swapLink } from '../support/race/chain-step.ts'
import { repairLogContract, sharedCircuitContract } from '../support/shared-state.ts'

export { EdgeKmsStoreObject }

interface Env {
  readonly KV: WorkersKvNamespace
  readonly STORE: StoreObjectNamespace
  readonly DB: D1DatabaseBinding
  readonly REPAIRS: D1DatabaseBinding
}

declare const caches: { readonly default: WebCache }

/** Put forward instead of waiting, where this client's clock is what counts. */
let aheadMs = 0
const runtime = { ...webRuntime, now: (): number => webRuntime.now() + aheadMs }
const advance = (ms: number): Promise<void> => {
  aheadMs += ms
  return Promise.resolve()
}
/** The object has a clock of its own. */
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

function keyValueStores(env: Env): Readonly<Record<string, KeyValueStore>> {
  return {
    'Workers KV': new WorkersKvStore({ namespace: env.KV, runtime }),
    'Workers KV with a prefix': new WorkersKvStore({ namespace: env.KV, runtime, prefix: 'p/' }),
    'the Cache API': new CacheApiStore({ cache: caches.default, runtime }),
    D1: new D1KeyValueStore({ database: env.DB, runtime }),
    'a Durable Object': new DurableObjectKeyValueStore({ namespace: env.STORE }),
  }
}

function dataKeyStores(env: Env): Readonly<Record<string, DataKeyStore>> {
  return {
    D1: new D1DataKeyStore({ database: env.DB }),
    'a Durable Object': new DurableObjectDataKeyStore({ namespace: env.STORE }),
  }
}

/** Separate stores: a list of notes must not contain data keys. */
function repairStores(env: Env): Readonly<Record<string, DataKeyStore>> {
  return {
    D1: new D1DataKeyStore({ database: env.REPAIRS }),
    'a Durable Object': new DurableObjectDataKeyStore({ namespace: env.STORE, name: 'repairs' }),
  }
}

function contracts(env: Env): Readonly<Record<string, readonly ContractCase[]>> {
  const all: Record<string, readonly ContractCase[]> = {}
  for (const [name, store] of Object.entries(keyValueStores(env))) {
    const elapse = store instanceof DurableObjectKeyValueStore ? wait : advance
    const subject = { create: () => store, elapse }
    all[`key-value store on ${name}`] = keyValueStoreContract(store.capabilities, subject)
    if (store.capabilities.compareAndSwap) {
      all[`a circuit shared on ${name}`] = sharedCircuitContract(() => store)
    }
  }
  for (const [name, store] of Object.entries(dataKeyStores(env))) {
    all[`data-key store on ${name}`] = dataKeyStoreContract(() => store)
  }
  for (const [name, store] of Object.entries(repairStores(env))) {
    all[`a log of repairs on ${name}`] = repairLogContract(() => store)
  }
  return all
}

const worker = {
  async fetch(request: Request, env: Env): Promise<Response> {
    const url = new URL(request.url)
    const ask = (name: string): string => url.searchParams.get(name) ?? ''
    if (url.pathname === '/contracts') {
      const names = Object.entries(contracts(env)).map(([suite, cases]) => [
        suite,
        cases.map(({ name, skip }) => ({ name, skip })),
      ])
      return Response.json(names)
    }
    if (['/link', '/put', '/swap', '/step'].includes(url.pathname)) {
      const store = keyValueStores(env)[ask('store')]
      if (store === undefined) return new Response(null, { status: 404 })
      const key = ask('key')
      if (url.pathname === '/link') return Response.json(await linkOf(store, key))
      if (url.pathname === '/put') {
        await putLink(store, key, ask('tried'))
        return Response.json(true)
      }
      if (url.pathname === '/step') {
        return Response.json(await chainActor(store, key, ask('me')).step(Number(ask('end'))))
      }
      return Response.json(await swapLink(store, key, ask('seen'), ask('tried')))
    }
    const found = contracts(env)[ask('suite')]?.find(({ name }) => name === ask('name'))
    if (found === undefined) return new Response('no such case', { status: 404 })
    try {
      await found.run()
      return new Response('held')
    } catch (error) {
      return new Response(`${String(error)}\n${(error as Error).stack ?? ''}`, { status: 500 })
    }
  },
}

export default worker
