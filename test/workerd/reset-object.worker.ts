import {
  DurableObjectKeyValueStore,
  EdgeKmsStoreObject,
  type StoreObjectNamespace,
  type StoreObjectState,
} from '../../adapters/workers/index.ts'

interface AbortableState extends StoreObjectState {
  abort(reason: string): void
}

/** The store object, which an outside fault can end: a deployment or a lack of memory does the same. */
export class FragileStoreObject extends EdgeKmsStoreObject {
  readonly #state: AbortableState

  constructor(state: AbortableState) {
    super(state)
    this.#state = state
  }

  override async fetch(request: Request): Promise<Response> {
    if (new URL(request.url).pathname !== '/abort') return super.fetch(request)
    this.#state.abort('reset by the test')
    return new Response()
  }
}

interface Env {
  readonly STORE: StoreObjectNamespace
}

let store: DurableObjectKeyValueStore | undefined

export default {
  async fetch({ url }: Request, { STORE }: Env): Promise<Response> {
    store ??= new DurableObjectKeyValueStore({ namespace: STORE })
    const value = new Uint8Array([1, 2, 3])
    if (new URL(url).pathname === '/put') {
      await store.put('key', value, { ttlMs: 60_000 })
      return Response.json('stored')
    }
    if (new URL(url).pathname === '/get')
      return Response.json([...((await store.get('key')) ?? [])])
    // One stub, as a store that keeps it would have: it does not come back.
    const stub = STORE.get(STORE.idFromName('edge-kms') as never)
    const ask = (path: string): Promise<string> =>
      stub.fetch(`https://store.test/${path}`, { method: 'POST', body: '{}' }).then(
        ({ status }) => String(status),
        () => 'broken',
      )
    return Response.json([await ask(''), await ask('abort'), await ask('')])
  },
}
