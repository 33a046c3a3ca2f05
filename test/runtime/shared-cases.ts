import type { Library, RuntimeCase } from './suite.ts'

const message = { context: { tenant: 'acme' } }
const CACHES = 200

function check(condition: boolean, what: string): void {
  if (!condition) throw new Error(what)
}

/** The shared level of the cache on this runtime: many that start cold over one store. */
export function sharedCases({ core, local, sharedKeys, stores }: Library): readonly RuntimeCase[] {
  type Cache = InstanceType<typeof core.CachedKms>
  const kms = local.createLocalKms({
    versions: [{ version: 1, key: crypto.getRandomValues(new Uint8Array(32)) }],
  })

  function cold(
    store: InstanceType<typeof stores.MemoryKeyValueStore>,
    storeAuthKey: Uint8Array,
  ): Cache {
    const shared = sharedKeys.sharedDataKeys({ store, partition: 'test', storeAuthKey })
    return new core.CachedKms({ kms, shared })
  }
  const encrypt = (keys: Cache): Promise<Uint8Array> =>
    new core.EnvelopeCipher({ keys }).encrypt(new Uint8Array([1, 2, 3]), message)
  const commitmentOf = (envelope: Uint8Array): string =>
    core.EncryptedEnvelope.parse(envelope).commitment.join()

  return [
    {
      name: `R18 shared keys: ${String(CACHES)} cold caches make one data key, and read each other`,
      run: async () => {
        const store = new stores.MemoryKeyValueStore()
        const key = crypto.getRandomValues(new Uint8Array(32))
        const caches = Array.from({ length: CACHES }, () => cold(store, key))
        const envelopes = await Promise.all(caches.map(encrypt))
        check(new Set(envelopes.map(commitmentOf)).size === 1, 'more than one data key')
        const adopted = caches.filter((cache) => cache.stats().adoptions === 1)
        check(adopted.length === CACHES - 1, `${String(adopted.length)} adopted it`)
        const [reader] = caches
        check(reader !== undefined, 'no cache')
        const cipher = new core.EnvelopeCipher({ keys: reader as Cache })
        const back = await cipher.decrypt(envelopes.at(-1) as Uint8Array, message)
        check(back.join() === '1,2,3', 'another plaintext')
      },
    },
    {
      name: 'R18 W5.9 shared keys: what was left under another storeAuthKey is not adopted',
      run: async () => {
        const store = new stores.MemoryKeyValueStore()
        const mine = crypto.getRandomValues(new Uint8Array(32))
        await encrypt(cold(store, mine))
        // Names are of the key too: the value is moved to where it would be looked for.
        const { get } = store
        const held = new Map<string, Uint8Array<ArrayBuffer>>()
        store.get = async (name, options) => {
          const value = await get.call(store, name, options)
          if (value !== undefined) held.set('', value)
          return value ?? held.get('')
        }
        await encrypt(cold(store, mine))
        const other = cold(store, crypto.getRandomValues(new Uint8Array(32)))
        await encrypt(other)
        const { adoptions, adoptionsRefused } = other.stats()
        check(held.size === 1 && adoptions === 0, 'it was adopted')
        check(adoptionsRefused > 0, 'it was not seen')
      },
    },
  ]
}
