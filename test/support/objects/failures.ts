import type { ObjectStore, PartUpload } from '../../../adapters/objects/index.ts'
import { KmsError } from '../../../src/errors.ts'
import {
  bucketOf,
  demand,
  demandBytes,
  demandCode,
  demandEqual,
  demandError,
  failureOf,
  type ObjectCase,
  type ObjectWorld,
  PART,
  plaintextOf,
  readAll,
  storeWith,
  streamOf,
} from './world.ts'

const LENGTH = 2 * PART + 1_000
const broken = (): KmsError => new KmsError('ERR_STORE_UNAVAILABLE', { retryable: false })

/** Puts with and without an old object; each fails, and leaves the old one or none. */
async function demandNothingLeft(
  world: ObjectWorld,
  key: string,
  put: (key: string) => Promise<unknown>,
  about: string,
): Promise<void> {
  const plain = bucketOf(world)
  await demandError(put(`${key}/new`), about)
  demandEqual(await world.readRaw(`${key}/new`), undefined, 'a new object')
  await plain.put(`${key}/old`, 'old')
  await demandError(put(`${key}/old`), about)
  demandEqual(await (await plain.get(`${key}/old`))?.text(), 'old')
  demandEqual(await world.pendingUploads(), 0, 'pending uploads')
}

/** A store whose uploads are changed. */
function withUploads(
  store: ObjectStore,
  change: (upload: PartUpload) => Partial<PartUpload>,
): ObjectStore {
  return storeWith(store, {
    streamPut: undefined,
    async startUpload(write) {
      const upload = await store.startUpload(write)
      return {
        put: (number, bytes, signal) => upload.put(number, bytes, signal),
        complete: (parts) => upload.complete(parts),
        abort: () => upload.abort(),
        ...change(upload),
      }
    },
  })
}

export const failureCases: readonly ObjectCase[] = [
  ...[0, 1, 2].map((part): ObjectCase => ({
    name: `R40 a source that breaks in part ${String(part + 1)} leaves nothing, of known and of unknown length`,
    async run(world, key) {
      const bucket = bucketOf(world)
      const source = (): ReadableStream<Uint8Array> =>
        streamOf(plaintextOf(LENGTH), part * PART + 500)
      const about = 'the source broke'
      await demandNothingLeft(world, key, (name) => bucket.put(name, source()), about)
      const known = { plaintextBytes: LENGTH }
      await demandNothingLeft(world, key, (name) => bucket.put(name, source(), known), about)
    },
  })),
  ...[1, 2, 3].map((part): ObjectCase => ({
    name: `R40 an upload that is cut at part ${String(part)} leaves nothing`,
    async run(world, key) {
      const store = withUploads(world.store, (upload) => ({
        put: async (number, bytes, signal) => {
          if (number === part) throw broken()
          return upload.put(number, bytes, signal)
        },
      }))
      const put = (name: string): Promise<unknown> =>
        bucketOf({ store }).put(name, plaintextOf(LENGTH))
      await demandNothingLeft(world, key, put, 'store unavailable')
    },
  })),
  {
    name: 'R40 an upload whose last request fails leaves nothing',
    async run(world, key) {
      const store = withUploads(world.store, () => ({ complete: () => Promise.reject(broken()) }))
      const put = (name: string): Promise<unknown> =>
        bucketOf({ store }).put(name, plaintextOf(LENGTH))
      await demandNothingLeft(world, key, put, 'store unavailable')
    },
  },
  {
    name: 'a put whose answer is lost is known by what is stored',
    async run(world, key) {
      const bytes = plaintextOf(LENGTH)
      const lost = withUploads(world.store, (upload) => ({
        complete: async (parts) => {
          await upload.complete(parts)
          throw broken()
        },
      }))
      const { envelopeBytes } = await bucketOf({ store: lost }).put(key, bytes)
      demandEqual((await world.readRaw(key))?.bytes.length, envelopeBytes, 'bytes')
      demandBytes(await readAll(bucketOf(world), key), bytes)
      const lostShort = storeWith(world.store, {
        put: async (write, short) => {
          await world.store.put(write, short)
          throw broken()
        },
      })
      await bucketOf({ store: lostShort }).put(key, 'short')
      demandEqual(await (await bucketOf(world).get(key))?.text(), 'short')
    },
  },
  {
    name: 'an object that the store keeps cut is deleted, whether the put succeeded or failed',
    async run(world, key) {
      for (const fails of [false, true]) {
        const cutting = storeWith(world.store, {
          put: async (write, bytes) => {
            const written = await world.store.put(write, bytes.slice(0, -1))
            if (fails) throw broken()
            return written
          },
        })
        const put = bucketOf({ store: cutting }).put(key, plaintextOf(1_000))
        await demandCode(put, 'ERR_STORE_UNAVAILABLE')
        demandEqual(await world.readRaw(key), undefined, 'the cut object')
      }
    },
  },
  {
    name: 'R40 an upload that the platform ends cleanly though its source broke leaves nothing',
    async run(world, key) {
      for (const fails of [false, true]) {
        const ending = storeWith(world.store, {
          streamPut: {
            maxBytes: LENGTH * 2,
            async put(write, _, next) {
              const pieces: Uint8Array[] = []
              const error = await failureOf(
                (async () => {
                  for (let piece = await next(); piece !== undefined; piece = await next()) {
                    pieces.push(piece)
                  }
                })(),
              )
              const bytes = new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer())
              const written = await world.store.put(write, bytes)
              if (fails) throw error as Error
              return written
            },
          },
        })
        const source = streamOf(plaintextOf(LENGTH), PART + 500)
        await failureOf(bucketOf({ store: ending }).put(key, source, { plaintextBytes: LENGTH }))
        demandEqual(await world.readRaw(key), undefined, 'what is left')
      }
    },
  },
  {
    name: 'a failed put never deletes the object of another writer',
    async run(world, key) {
      const racing = storeWith(world.store, {
        put: async () => {
          await bucketOf(world).put(key, 'theirs')
          throw broken()
        },
      })
      await demandCode(bucketOf({ store: racing }).put(key, 'ours'), 'ERR_STORE_UNAVAILABLE')
      demandEqual(await (await bucketOf(world).get(key))?.text(), 'theirs')
      const { etag } = (await bucketOf(world).head(key)) ?? { etag: '' }
      await world.store.discard(key, { etag: 'd41d8cd98f00b204e9800998ecf8427e', version: 'x' })
      demandEqual((await bucketOf(world).head(key))?.etag, etag)
    },
  },
  {
    name: 'R40 a stream that is longer or shorter than it was announced leaves nothing',
    async run(world, key) {
      const bucket = bucketOf(world)
      for (const [length, ...others] of [
        [1_000, 999, 1_001, 21_000],
        [LENGTH, LENGTH - 1, LENGTH + 1],
      ]) {
        for (const got of others) {
          const put = (name: string): Promise<unknown> =>
            bucket.put(name, streamOf(plaintextOf(got)), { plaintextBytes: length })
          await demandNothingLeft(world, `${key}/${String(got)}`, put, 'plaintextBytes said')
        }
      }
    },
  },
  {
    name: 'an abort ends a put at once, cancels its source and leaves nothing pending',
    async run(world, key) {
      for (const plaintextBytes of [undefined, LENGTH]) {
        const control = new AbortController()
        let cancelled: unknown
        let sent = 0
        const source = new ReadableStream<Uint8Array>({
          pull(to) {
            sent += 65_536
            if (sent > 2 * PART) control.abort(new Error('no longer wanted'))
            to.enqueue(new Uint8Array(65_536))
          },
          cancel: (reason) => {
            cancelled = reason
          },
        })
        const { signal } = control
        const put = bucketOf(world).put(key, source, { signal, plaintextBytes })
        await demandError(put, 'no longer wanted')
        demandEqual(await world.readRaw(key), undefined, 'an object')
        demandEqual(await world.pendingUploads(), 0, 'pending uploads')
        demand(String(cancelled).includes('no longer wanted'), `cancelled: ${String(cancelled)}`)
      }
    },
  },
  {
    name: 'R40 parts are equal, in order, and no more than partsAtOnce are on their way',
    async run(world, key) {
      const lengths: number[] = []
      let [now, most, order] = [0, 0, '']
      const store = withUploads(world.store, (upload) => ({
        put: async (number, bytes, signal) => {
          lengths[number - 1] = bytes.length
          most = Math.max(most, ++now)
          const part = await upload.put(number, bytes, signal)
          now -= 1
          return part
        },
        complete: (parts) => {
          order = parts.map(({ partNumber }) => partNumber).join()
          return upload.complete(parts)
        },
      }))
      const bytes = plaintextOf(4 * PART)
      await bucketOf({ store }, { partsAtOnce: 3 }).put(key, streamOf(bytes))
      demandEqual(lengths.slice(0, 4), [PART, PART, PART, PART], 'lengths')
      demand(most <= 3 && most >= 2, `${String(most)} parts at once`)
      demandEqual(order, '1,2,3,4,5')
      demandBytes(await readAll(bucketOf(world), key), bytes)
    },
  },
  {
    name: 'a store that fails cancels the source',
    async run(world, key) {
      let cancelled = false
      const source = new ReadableStream<Uint8Array>({
        pull: (to) => {
          to.enqueue(new Uint8Array(262_144))
        },
        cancel: () => {
          cancelled = true
        },
      })
      const store = withUploads(world.store, () => ({ put: () => Promise.reject(broken()) }))
      await demandCode(bucketOf({ store }).put(key, source), 'ERR_STORE_UNAVAILABLE')
      // A pipe takes some turns to tell its source.
      for (let turn = 0; turn < 100 && !(cancelled as boolean); turn += 1) {
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      demand(cancelled, 'the source is still open')
    },
  },
  {
    name: 'a KMS that fails cancels the source, and nothing is sent',
    async run(world, key) {
      let cancelled = false
      const source = new ReadableStream<Uint8Array>({
        cancel: () => {
          cancelled = true
        },
      })
      const bucket = bucketOf(world, { contextOf: () => ({ 'edge-kms:x': 'reserved' }) })
      const error = await failureOf(bucket.put(key, source))
      demand(String(error).includes('context'), String(error))
      demand(cancelled, 'the source is still open')
      demandEqual(await world.readRaw(key), undefined, 'an object')
    },
  },
]
