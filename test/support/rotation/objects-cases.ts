import { objectSource } from '../../../adapters/objects/index.ts'
import { EncryptedEnvelope, EnvelopeCipher } from '../../../src/index.ts'
import {
  bucketOf,
  cipherOf,
  demand,
  demandEqual,
  localOf,
  MIB,
  plaintextOf,
  readAll,
  storeWith,
} from '../objects/world.ts'
import type { ListedBucket } from './objects-world.ts'

/** A case on an empty bucket; it throws if it does not hold. */
export interface ListedCase {
  readonly name: string
  run(bucket: ListedBucket): Promise<void>
}

/** As if a second KMS, of an account far away, made wraps of 9,000 bytes. */
function cipherOfLongWraps(): EnvelopeCipher {
  const kms = localOf(1)
  const generateDataKey: typeof kms.generateDataKey = async (options) => {
    const { plaintext, wraps } = await kms.generateDataKey(options)
    const far = {
      provider: 'other',
      kekId: 'far',
      kekVersion: '',
      wrapped: new Uint8Array(9_000),
    }
    return { plaintext, wraps: [...wraps, far] }
  }
  const get = (target: typeof kms, name: keyof typeof kms): unknown => {
    const member: unknown = target[name]
    if (name === 'generateDataKey') return generateDataKey
    return typeof member === 'function' ? (member.bind(target) as unknown) : member
  }
  return new EnvelopeCipher({ kms: new Proxy(kms, { get: get as never }) })
}

const OPEN = { verify: 'open' } as const

/** Cases of a source of objects beside its contract. */
export const listedCases: readonly ListedCase[] = [
  {
    name: 'reads only the objects of its prefix',
    async run({ store }) {
      const bucket = bucketOf({ store })
      for (const key of ['a/1', 'a/2', 'a', 'b/1', 'ab']) await bucket.put(key, 'x')
      const { records } = await objectSource({ bucket, prefix: 'a/' }).page(undefined, 10, {})
      demandEqual(
        records.map(({ id }) => id),
        ['a/1', 'a/2'],
      )
    },
  },
  {
    name: 'reads few bytes of each object, whatever its length',
    async run({ store }) {
      const spans: number[] = []
      const counting = storeWith(store, {
        read: (read, span) => {
          spans.push(span.end - span.start)
          return store.read(read, span)
        },
        open: () => Promise.reject(new Error('the body was opened')),
      })
      await bucketOf({ store }).put('long', plaintextOf(2 * MIB))
      const source = objectSource({ bucket: bucketOf({ store: counting }) })
      const { records } = await source.page(undefined, 10, {})
      demandEqual(records.length, 1)
      demandEqual(spans, [8_192])
    },
  },
  {
    name: 'gives a head that is longer than the first read whole',
    async run({ store }) {
      const bucket = bucketOf({ store }, { cipher: cipherOfLongWraps() })
      await bucket.put('head', plaintextOf(200_000))
      const [record] = (await objectSource({ bucket }).page(undefined, 10, {})).records
      const start = record?.values['object'] as Uint8Array
      const { headBytes } = EncryptedEnvelope.parse(start, { prefix: true })
      demand(headBytes > 8_192, `the head has ${String(headBytes)} bytes`)
      demandEqual(start.length, 73_728)
    },
  },
  {
    name: 'loses against an object that is replaced during the rewrap',
    async run({ store }) {
      await bucketOf({ store }, { cipher: cipherOf(1) }).put('raced', plaintextOf(2_000))
      const racing = storeWith(store, {
        open: async (read) => {
          const found = await store.open(read)
          await bucketOf({ store }, { cipher: cipherOf(1) }).put('raced', 'theirs')
          return found
        },
      })
      const bucket = bucketOf({ store: racing }, { cipher: cipherOf(1, 2) })
      demandEqual(await objectSource({ bucket }).rewrap('raced', OPEN), 'lost')
      const theirs = await readAll(bucketOf({ store }, { cipher: cipherOf(1) }), 'raced')
      demandEqual(new TextDecoder().decode(theirs), 'theirs')
    },
  },
]
