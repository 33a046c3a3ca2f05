import { EncryptedEnvelope, EnvelopeCipher } from '../../../src/index.ts'
import { MemoryDataKeyStore } from '../../../src/stores/index.ts'
import {
  bucketOf,
  cipherOf,
  demand,
  demandBytes,
  demandCode,
  demandEqual,
  localOf,
  type ObjectCase,
  type ObjectWorld,
  PART,
  plaintextOf,
  readAll,
  storeWith,
} from './world.ts'

async function versionOf(world: ObjectWorld, key: string): Promise<string | undefined> {
  const raw = await world.readRaw(key)
  const start = (raw?.bytes ?? new Uint8Array()).slice(0, 73_728)
  return EncryptedEnvelope.parse(start, { prefix: true }).wraps[0]?.kekVersion
}

export const rewrapCases: readonly ObjectCase[] = [
  {
    name: 'a rewrap writes the same body under the new KEK, with its metadata',
    async run(world, key) {
      const customMetadata = { team: 'a' }
      for (const length of [10, 2 * PART + 3]) {
        const bytes = plaintextOf(length)
        await bucketOf(world, { cipher: cipherOf(1) }).put(key, bytes, { customMetadata })
        const before = (await world.readRaw(key))?.bytes ?? new Uint8Array()
        const bucket = bucketOf(world, { cipher: cipherOf(1, 2) })
        demandEqual((await bucket.rewrap(key))?.form, 'inline')
        demandEqual(await versionOf(world, key), '2', 'KEK')
        const after = (await world.readRaw(key))?.bytes ?? new Uint8Array()
        demandBytes(after.subarray(-length), before.subarray(-length))
        const rotated = bucketOf(world, { cipher: cipherOf(2) })
        demandBytes(await readAll(rotated, key), bytes)
        demandEqual((await rotated.get(key))?.customMetadata, customMetadata)
      }
      demandEqual(await bucketOf(world).rewrap(`${key}/absent`), null)
      demandEqual(await world.pendingUploads(), 0, 'pending uploads')
    },
  },
  {
    name: 'a rewrap of an object that somebody replaces meanwhile fails, and theirs stays',
    async run(world, key) {
      await bucketOf(world).put(key, plaintextOf(2_000))
      const racing = storeWith(world.store, {
        open: async (read) => {
          const found = await world.store.open(read)
          await bucketOf(world).put(key, 'theirs')
          return found
        },
      })
      await demandCode(bucketOf({ store: racing }).rewrap(key), 'ERR_STORE_CONFLICT')
      demandEqual(await (await bucketOf(world).get(key))?.text(), 'theirs')
    },
  },
  {
    name: 'a rewrap that fails in the middle leaves the object as it was',
    async run(world, key) {
      const bytes = plaintextOf(2 * PART)
      const { etag } = await bucketOf(world).put(key, bytes)
      const cut = storeWith(world.store, {
        open: async (read) => {
          const found = await world.store.open(read)
          if (found.state !== 'found') return found
          let seen = 0
          const content = found.content.pipeThrough(
            new TransformStream<Uint8Array, Uint8Array>({
              transform(piece, to) {
                seen += piece.length
                if (seen > PART) to.error(new Error('the body broke'))
                else to.enqueue(piece)
              },
            }),
          )
          return { ...found, content }
        },
      })
      const failure = await bucketOf({ store: cut })
        .rewrap(key)
        .catch((error: unknown) => error)
      demand(String(failure).includes('the body broke'), String(failure))
      demandEqual((await bucketOf(world).head(key))?.etag, etag)
      demandEqual(await world.pendingUploads(), 0, 'pending uploads')
    },
  },
  {
    name: 'R40 a rewrap of an object by reference moves no body',
    async run(world, key) {
      const dataKeyStore = new MemoryDataKeyStore()
      const cipherAt = (...versions: readonly number[]): EnvelopeCipher =>
        new EnvelopeCipher({ kms: localOf(...versions), dataKeyStore })
      const options = { form: 'reference', dataKeyStore } as const
      const bytes = plaintextOf(PART)
      const { etag } = await bucketOf(world, { ...options, cipher: cipherAt(1) }).put(key, bytes)
      let moved = 0
      const counting = storeWith(world.store, {
        read: async (read, span) => {
          const found = await world.store.read(read, span)
          if (found.state === 'found') moved += found.content.length
          return found
        },
        open: () => Promise.reject(new Error('the body was read')),
        put: () => Promise.reject(new Error('the object was written')),
        startUpload: () => Promise.reject(new Error('the object was written')),
      })
      const rotating = { ...options, cipher: cipherAt(1, 2) }
      const rewrapped = await bucketOf({ store: counting }, rotating).rewrap(key)
      demandEqual(rewrapped, { key, form: 'reference', etag })
      demand(moved <= 8_192, `${String(moved)} bytes were read`)
      const rotated = bucketOf(world, { ...options, cipher: cipherAt(2) })
      demandBytes(await readAll(rotated, key), bytes)
      const range = await rotated.get(key, { range: { offset: PART - 5 } })
      demandBytes((await range?.bytes()) ?? new Uint8Array(), bytes.subarray(-5))
      const without = bucketOf(world, { cipher: cipherAt(1, 2) })
      await demandCode(without.rewrap(key), 'ERR_KMS_CONFIG')
      const [name] = (await dataKeyStore.list(undefined, 10)).keys
      await dataKeyStore.delete(name ?? '')
      const shredded = bucketOf(world, { ...options, cipher: cipherAt(2) })
      await demandCode(shredded.rewrap(key), 'ERR_ENVELOPE_UNKNOWN_REFERENCE')
      await demandCode(shredded.get(key), 'ERR_ENVELOPE_UNKNOWN_REFERENCE')
    },
  },
]
