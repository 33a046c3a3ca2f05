import { type ObjectStore, objectSource } from '../../../adapters/objects/index.ts'
import type { ObjectSourceWorld } from '../../../src/testing/index.ts'
import { bucketOf, cipherOf, type ObjectWorld } from '../objects/world.ts'

/** Members of the worlds of both stores. */
export interface ListedBucket extends Pick<ObjectWorld, 'store' | 'writeRaw'> {
  remove(key: string): Promise<void>
  /** The same store where its backend fails. */
  readonly broken: ObjectStore
}

/** An empty bucket, whose objects are written under version 1 of a KEK that has a version 2. */
export function objectsWorld({ store, broken, writeRaw, remove }: ListedBucket): ObjectSourceWorld {
  const contextOf = (): { readonly tenant: string } => ({ tenant: 'acme' })
  const before = bucketOf({ store }, { cipher: cipherOf(1), contextOf })
  const bucket = bucketOf({ store }, { cipher: cipherOf(1, 2), contextOf })
  return {
    source: objectSource({ bucket }),
    put: async (id, content) => {
      await before.put(id, content)
    },
    putRaw: (id, bytes) => writeRaw(id, { bytes, metadata: {} }),
    open: async (id) => {
      const found = await bucket.get(id)
      if (found === null) throw new Error('there is no object')
      return found.text()
    },
    delete: (id) => remove(id),
    failing: () => objectSource({ bucket: bucketOf({ store: broken }) }),
  }
}
