import {
  bucketOf,
  demand,
  demandBytes,
  demandCode,
  demandEqual,
  demandError,
  MIB,
  type ObjectCase,
  PART,
  plaintextOf,
  readAll,
  storeWith,
  streamOf,
} from './world.ts'

const text = new TextEncoder()
const CHUNK = 16_384

export const roundTripCases: readonly ObjectCase[] = [
  {
    name: 'each kind of value comes back as it was',
    async run(world, key) {
      const bucket = bucketOf(world)
      const bytes = plaintextOf(1_000)
      const values = {
        text: 'Grüße',
        buffer: bytes.buffer,
        view: new DataView(bytes.buffer, 100, 50),
        blob: new Blob([bytes]),
        none: null,
        stream: streamOf(bytes),
      }
      const expected = {
        text: text.encode('Grüße'),
        buffer: bytes,
        view: bytes.subarray(100, 150),
        blob: bytes,
        none: new Uint8Array(),
        stream: bytes,
      }
      for (const name of Object.keys(values) as (keyof typeof values)[]) {
        await bucket.put(`${key}/${name}`, values[name])
        demandBytes(await readAll(bucket, `${key}/${name}`), expected[name])
      }
      const found = await bucket.get(`${key}/text`)
      demandEqual(await found?.text(), 'Grüße')
      demandEqual(await bucket.get(`${key}/absent`), null)
      demandEqual(await bucket.head(`${key}/absent`), null)
    },
  },
  {
    name: 'lengths around a chunk and a part come back, of known and of unknown length',
    async run(world, key) {
      const bucket = bucketOf(world)
      for (const length of [1, CHUNK - 1, CHUNK, CHUNK + 1, PART, PART + 77]) {
        const bytes = plaintextOf(length)
        const known = await bucket.put(key, streamOf(bytes), { plaintextBytes: length })
        demandEqual(known.size, length, 'size')
        demandBytes(await readAll(bucket, key), bytes)
        await bucket.put(key, streamOf(bytes))
        demandBytes(await readAll(bucket, key), bytes)
      }
      demandEqual(await world.pendingUploads(), 0, 'pending uploads')
    },
  },
  {
    name: 'the answers say what is stored',
    async run(world, key) {
      const bucket = bucketOf(world)
      const customMetadata = { author: 'Ada Lovelace', 'content-type': 'text/plain' }
      const put = await bucket.put(key, 'hello', { customMetadata })
      const raw = await world.readRaw(key)
      demandEqual(put.envelopeBytes, raw?.bytes.length, 'envelopeBytes')
      demandEqual([put.size, put.customMetadata], [5, customMetadata])
      const head = await bucket.head(key)
      demandEqual(head?.unverified, { size: 5, customMetadata })
      demandEqual([head?.etag, head?.httpEtag], [put.etag, `"${put.etag}"`])
      const got = await bucket.get(key)
      demandEqual([got?.size, got?.lengthVerified, got?.range], [5, true, { offset: 0, length: 5 }])
      demandEqual(got?.customMetadata, customMetadata)
      demandEqual(await got?.text(), 'hello')
      demand(
        !new TextDecoder().decode(raw?.bytes ?? new Uint8Array()).includes('hello'),
        'the plaintext is in the bucket',
      )
    },
  },
  {
    name: 'ranges give the bytes of the plaintext',
    async run(world, key) {
      const bucket = bucketOf(world)
      const bytes = plaintextOf(9 * MIB + 5)
      const size = bytes.length
      await bucket.put(key, bytes)
      const ranges = [
        [{ offset: 0, length: 1 }, 0, 1],
        [{ offset: CHUNK - 1, length: 2 }, CHUNK - 1, CHUNK + 1],
        [{ length: 10 }, 0, 10],
        [{ suffix: 3 }, size - 3, size],
        [{ suffix: size + 5 }, 0, size],
        [{ offset: size - 1 }, size - 1, size],
        [{ offset: 1_000_003 }, 1_000_003, size],
        [{ offset: size - 2, length: 100 }, size - 2, size],
        [{ offset: 4 * MIB - 1, length: 4 * MIB + 2 }, 4 * MIB - 1, 8 * MIB + 1],
      ] as const
      for (const [range, from, to] of ranges) {
        const found = await bucket.get(key, { range })
        demandEqual(found?.range, { offset: from, length: to - from }, JSON.stringify(range))
        demandBytes((await found?.bytes()) ?? new Uint8Array(), bytes.subarray(from, to))
      }
      const changing = { offset: 5, length: 3 }
      const begun = bucket.get(key, { range: changing })
      Object.assign(changing, { offset: Infinity, length: -1 })
      demandBytes((await (await begun)?.bytes()) ?? new Uint8Array(), bytes.subarray(5, 8))
      await demandError(bucket.get(key, { range: { offset: size } }), 'RangeError')
      await demandError(bucket.get(key, { range: { offset: -1, length: 1 } }), 'RangeError')
      await demandError(bucket.get(key, { range: { suffix: 0 } }), 'RangeError')
      await demandError(bucket.get(key, { range: { offset: 0, length: 0 } }), 'RangeError')
      demandEqual(await bucket.get(`${key}/absent`, { range: { suffix: 1 } }), null)
    },
  },
  {
    name: 'R40 a range costs two reads, also of an object whose length is a whole number of chunks',
    async run(world, key) {
      let reads = 0
      const store = storeWith(world.store, {
        read: (read, span) => {
          reads += 1
          return world.store.read(read, span)
        },
      })
      const bucket = bucketOf({ store })
      const length = 64 * CHUNK
      await bucket.put(key, plaintextOf(length))
      for (const range of [
        { offset: 500_000, length: 1_000 },
        { suffix: 100 },
        { offset: CHUNK },
      ]) {
        reads = 0
        const found = await bucket.get(key, { range })
        await found?.bytes()
        demandEqual(reads, 2, `reads of ${JSON.stringify(range)}`)
        demandEqual(found?.lengthVerified, true)
      }
      await bucket.put(key, streamOf(plaintextOf(length)))
      reads = 0
      const middle = await bucket.get(key, { range: { offset: 500_000, length: 1_000 } })
      demandEqual([middle?.lengthVerified, reads], [false, 2], 'of unknown length')
      const tail = await bucket.get(key, { range: { suffix: 1 } })
      demandEqual(tail?.lengthVerified, true)
    },
  },
  {
    name: 'keys of every script reach the object that they name',
    async run(world, key) {
      const bucket = bucketOf(world)
      for (const name of ['a b+c', 'ä/日本', "!'()*~&=?#%", '%2e%2e', 'x//y', 'a.b/..c']) {
        await bucket.put(`${key}/${name}`, name)
        const raw = await world.readRaw(`${key}/${name}`)
        demand(raw !== undefined, `there is no ${name}`)
        demandEqual(await (await bucket.get(`${key}/${name}`))?.text(), name)
      }
      for (const name of ['', '../x', `${key}/./a`, `${key}/..`, 'a\nb', 'x'.repeat(1_025)]) {
        await demandError(bucket.get(name), 'RangeError')
        await demandError(bucket.put(name, 'x'), 'RangeError')
      }
    },
  },
  {
    name: 'an object that EncryptedBucket did not write is said to be none',
    async run(world, key) {
      const bucket = bucketOf(world)
      for (const bytes of [new Uint8Array(), text.encode('plain'), new Uint8Array(100_000)]) {
        await world.writeRaw(key, { bytes, metadata: {} })
        await demandCode(bucket.get(key), 'ERR_WIRE_MALFORMED')
        await demandCode(bucket.get(key, { range: { suffix: 1 } }), 'ERR_WIRE_MALFORMED')
        await demandCode(bucket.head(key), 'ERR_WIRE_MALFORMED')
        await demandCode(bucket.rewrap(key), 'ERR_WIRE_MALFORMED')
      }
    },
  },
]
