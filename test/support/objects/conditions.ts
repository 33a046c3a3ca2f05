import {
  bucketOf,
  demand,
  demandBytes,
  demandCode,
  demandEqual,
  failureOf,
  type ObjectCase,
  PART,
  plaintextOf,
  readAll,
  streamOf,
} from './world.ts'
import { isKmsError } from '../../../src/errors.ts'

const createOnly = { onlyIf: { etagDoesNotMatch: '*' } }

export const conditionCases: readonly ObjectCase[] = [
  {
    name: 'a put whose condition does not hold throws, and the old object stays',
    async run(world, key) {
      const bucket = bucketOf(world)
      const first = await bucket.put(key, 'first', createOnly)
      await demandCode(bucket.put(key, 'second', createOnly), 'ERR_STORE_CONFLICT')
      const stale = { onlyIf: { etagMatches: 'd41d8cd98f00b204e9800998ecf8427e' } }
      await demandCode(bucket.put(key, 'second', stale), 'ERR_STORE_CONFLICT')
      await demandCode(bucket.put(`${key}/absent`, 'x', stale), 'ERR_STORE_CONFLICT')
      demandEqual(await bucket.head(`${key}/absent`), null)
      demandEqual(await (await bucket.get(key))?.text(), 'first')
      await bucket.put(key, 'second', { onlyIf: { etagMatches: first.etag } })
      demandEqual(await (await bucket.get(key))?.text(), 'second')
    },
  },
  {
    name: 'a long put whose condition does not hold throws, and the old object stays',
    async run(world, key) {
      const bucket = bucketOf(world)
      const bytes = plaintextOf(2 * PART)
      const { etag } = await bucket.put(key, bytes, createOnly)
      demandBytes(await readAll(bucket, key), bytes)
      const other = streamOf(plaintextOf(2 * PART + 1))
      const options = { ...createOnly, plaintextBytes: 2 * PART + 1 }
      await demandCode(bucket.put(key, other, options), 'ERR_STORE_CONFLICT')
      demandEqual((await bucket.head(key))?.etag, etag)
      demandEqual(await world.pendingUploads(), 0, 'pending uploads')
    },
  },
  {
    name: 'a condition on a stream of unknown length holds, or is refused before anything is sent',
    async run(world, key) {
      const bucket = bucketOf(world)
      const put = (): Promise<unknown> =>
        bucket.put(key, streamOf(plaintextOf(2 * PART)), createOnly)
      if (!world.store.conditionalUploads) {
        await demandCode(put(), 'ERR_KMS_UNSUPPORTED')
        demandEqual(await bucket.head(key), null)
        return
      }
      await put()
      await demandCode(put(), 'ERR_STORE_CONFLICT')
      demandEqual(await world.pendingUploads(), 0, 'pending uploads')
    },
  },
  {
    name: 'of eight writers that create one object, one wins',
    async run(world, key) {
      const bucket = bucketOf(world)
      const racers = Array.from({ length: 8 }, (_, index) =>
        bucket.put(key, `racer ${String(index)}`, createOnly).then(
          () => `racer ${String(index)}`,
          (error: unknown) => error,
        ),
      )
      const settled = await Promise.all(racers)
      const won = settled.filter((one) => typeof one === 'string')
      demandEqual(won.length, 1, 'winners')
      const lost = settled.filter((one) => isKmsError(one, 'ERR_STORE_CONFLICT'))
      demandEqual(lost.length, 7, 'losers')
      demandEqual(await (await bucket.get(key))?.text(), won[0])
    },
  },
  {
    name: 'a get whose condition does not hold answers without a body',
    async run(world, key) {
      const bucket = bucketOf(world)
      const { etag } = await bucket.put(key, 'hello')
      for (const range of [undefined, { offset: 0, length: 2 }]) {
        const unchanged = await bucket.get(key, { onlyIf: { etagDoesNotMatch: etag }, range })
        demandEqual([unchanged?.key, unchanged?.etag, unchanged?.body], [key, etag, undefined])
        const other = await bucket.get(key, { onlyIf: { etagMatches: 'abc' }, range })
        demand(other !== null && other.body === undefined, 'a body for another ETag')
        const same = await bucket.get(key, { onlyIf: { etagMatches: etag }, range })
        demand(same?.body !== undefined, 'no body for the same ETag')
      }
      demandEqual(await bucket.get(`${key}/x`, { onlyIf: { etagDoesNotMatch: etag } }), null)
    },
  },
  {
    name: 'an object that is replaced while it is read is a retryable error, never a mixture',
    async run(world, key) {
      const bucket = bucketOf(world)
      const bytes = plaintextOf(9 * 1_048_576)
      await bucket.put(key, bytes)
      const found = await bucket.get(key, { range: { offset: 0 } })
      await bucket.put(key, plaintextOf(9 * 1_048_576 - 1))
      const error = await failureOf(found?.bytes() ?? Promise.resolve())
      demand(isKmsError(error, 'ERR_STORE_CONFLICT') && error.retryable, String(error))
    },
  },
]
