import {
  bucketOf,
  demandCode,
  demandEqual,
  type ObjectCase,
  type ObjectWorld,
  plaintextOf,
  type RawObject,
  strangerCipher,
  streamOf,
} from './world.ts'

const CHUNK = 16_384
const SEALED = CHUNK + 16
const LENGTH = 5 * CHUNK + 100
const whole = { range: undefined }
const middle = { range: { offset: 2 * CHUNK, length: 10 } }
const tail = { range: { suffix: 10 } }

async function rawOf(world: ObjectWorld, key: string): Promise<RawObject> {
  const raw = await world.readRaw(key)
  if (raw === undefined) throw new Error('there is no object')
  return raw
}

/** Every way to read it is refused as one error. */
async function demandRefused(
  bucket: ReturnType<typeof bucketOf>,
  key: string,
  ways: readonly object[] = [whole, middle, tail],
): Promise<void> {
  for (const options of ways) {
    const reading = async (): Promise<unknown> => (await bucket.get(key, options))?.bytes()
    await demandCode(reading(), 'ERR_DECRYPT_FAILED')
  }
}

export const tamperingCases: readonly ObjectCase[] = [
  {
    name: 'an object that was moved to another key is refused',
    async run(world, key) {
      const bucket = bucketOf(world)
      await bucket.put(`${key}/a`, plaintextOf(LENGTH))
      await bucket.put(`${key}/b`, plaintextOf(LENGTH))
      await world.writeRaw(`${key}/b`, await rawOf(world, `${key}/a`))
      await demandRefused(bucket, `${key}/b`)
      const unbound = bucketOf(world, { aadOf: () => ({}) })
      await unbound.put(`${key}/a`, 'x')
      await world.writeRaw(`${key}/b`, await rawOf(world, `${key}/a`))
      demandEqual(await (await unbound.get(`${key}/b`))?.text(), 'x', 'without the key in the aad')
    },
  },
  {
    name: 'an aadOf that answers a promise, a Map or nothing binds nothing, and is refused',
    async run(world, key) {
      const answers = [Promise.resolve({ object: key }), new Map([['object', key]]), undefined]
      for (const answer of answers) {
        const bucket = bucketOf(world, { aadOf: () => answer as never })
        await demandCode(bucket.put(key, 'x'), 'ERR_KMS_CONFIG')
      }
    },
  },
  {
    name: 'a cut or moved object whose length nobody bound is refused past its end, too',
    async run(world, key) {
      const bucket = bucketOf(world)
      const past = { range: { offset: 4 * CHUNK, length: 10 } }
      await bucket.put(`${key}/a`, streamOf(plaintextOf(LENGTH)))
      const raw = await rawOf(world, `${key}/a`)
      await world.writeRaw(`${key}/b`, raw)
      await demandRefused(bucket, `${key}/b`, [{ range: { offset: LENGTH } }])
      await world.writeRaw(`${key}/a`, { ...raw, bytes: raw.bytes.slice(0, -3 * SEALED) })
      await demandRefused(bucket, `${key}/a`, [past])
    },
  },
  {
    name: 'another key, context or aad is refused',
    async run(world, key) {
      await bucketOf(world).put(key, plaintextOf(LENGTH))
      const others = [
        bucketOf(world, { contextOf: () => ({ tenant: 'other' }) }),
        bucketOf(world, { aadOf: () => ({ object: 'other' }) }),
        bucketOf(world, { cipher: strangerCipher() }),
      ]
      for (const other of others) await demandRefused(other, key)
    },
  },
  {
    name: 'changed, lost and renamed metadata is refused, and nothing that was added is returned',
    async run(world, key) {
      const bucket = bucketOf(world)
      await bucket.put(key, plaintextOf(LENGTH), { customMetadata: { role: 'reader', team: 'a' } })
      const { bytes, metadata } = await rawOf(world, key)
      const { role: _, ...without } = metadata
      const own = metadata['edge-kms'] ?? ''
      const changes = [
        { ...metadata, role: 'admin' },
        without,
        { ...metadata, 'edge-kms': own.replace(' role', '') },
        { ...metadata, 'edge-kms': own.replace(/^1 \d+/, '1 -') },
      ]
      for (const changed of changes) {
        await world.writeRaw(key, { bytes, metadata: changed })
        await demandRefused(bucket, key)
      }
      await world.writeRaw(key, { bytes, metadata: { ...metadata, mtime: '1' } })
      const found = await bucket.get(key)
      demandEqual(found?.customMetadata, { role: 'reader', team: 'a' })
      await world.writeRaw(key, { bytes, metadata: { ...metadata, 'edge-kms': '2 1' } })
      await demandCode(bucket.get(key), 'ERR_WIRE_MALFORMED')
    },
  },
  {
    name: 'R40 an object that is cut at any chunk, or too long, is refused',
    async run(world, key) {
      const bucket = bucketOf(world)
      await bucket.put(key, plaintextOf(LENGTH))
      const { bytes, metadata } = await rawOf(world, key)
      const head = bytes.length - (5 * SEALED + 116)
      const cuts = [1, 16, 100, 116].map((missing) => bytes.length - missing)
      for (let chunk = 0; chunk <= 5; chunk += 1) cuts.push(head + chunk * SEALED)
      for (const end of cuts) {
        await world.writeRaw(key, { bytes: bytes.slice(0, end), metadata })
        await demandRefused(bucket, key)
        await demandCode(bucket.head(key), 'ERR_DECRYPT_FAILED')
      }
      for (const more of [1, 16, SEALED, 2 * SEALED]) {
        const longer = new Uint8Array(bytes.length + more)
        longer.set(bytes)
        await world.writeRaw(key, { bytes: longer, metadata })
        await demandRefused(bucket, key)
      }
    },
  },
  {
    name: 'R40 an object of unknown length that is cut is refused at its end',
    async run(world, key) {
      const bucket = bucketOf(world)
      await bucket.put(key, streamOf(plaintextOf(LENGTH)))
      const { bytes, metadata } = await rawOf(world, key)
      const head = bytes.length - (5 * SEALED + 116)
      for (const end of [head + 3 * SEALED, head + 4 * SEALED + 500, bytes.length - 1]) {
        await world.writeRaw(key, { bytes: bytes.slice(0, end), metadata })
        await demandRefused(bucket, key, [whole, tail])
      }
      const longer = new Uint8Array(bytes.length + 30)
      longer.set(bytes)
      await world.writeRaw(key, { bytes: longer, metadata })
      await demandRefused(bucket, key, [whole, tail])
    },
  },
  {
    name: 'a flipped bit in any chunk is refused',
    async run(world, key) {
      const bucket = bucketOf(world)
      await bucket.put(key, plaintextOf(LENGTH))
      const { bytes, metadata } = await rawOf(world, key)
      const head = bytes.length - (5 * SEALED + 116)
      for (const at of [head - 1, head - 40, head + 5, head + 3 * SEALED, bytes.length - 1]) {
        const flipped = bytes.slice()
        flipped[at] = (flipped[at] ?? 0) ^ 1
        await world.writeRaw(key, { bytes: flipped, metadata })
        await demandRefused(bucket, key, [whole])
      }
    },
  },
]
