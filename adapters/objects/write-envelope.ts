import { KmsError } from '../../src/errors.ts'
import { EnvelopeStart } from './envelope-start.ts'
import type { ObjectStore, ObjectWrite, WrittenObject } from './object-store.ts'
import type { BucketSettings } from './options.ts'
import type { PieceSource } from './piece-source.ts'
import { type ConfirmedWrite, settleWrite } from './settle-write.ts'
import { partLength, uploadParts } from './upload-parts.ts'

/** Bytes that a put of a stream hands over at once. */
const HANDED_BYTES = 262_144

type Sizes = Pick<BucketSettings, 'partBytes' | 'partsAtOnce'>

/**
 * Writes an envelope, and proves that all of it is stored.
 *
 * @param total - length of the envelope, if it is known
 * @throws KmsError `ERR_STORE_CONFLICT` if the condition does not hold; `ERR_KMS_UNSUPPORTED`,
 * `ERR_STORE_UNAVAILABLE`; what the source of the pieces throws
 */
export async function writeEnvelope(
  store: ObjectStore,
  write: ObjectWrite,
  pieces: PieceSource,
  total: number | undefined,
  sizes: Sizes,
): Promise<ConfirmedWrite> {
  const start = new EnvelopeStart(pieces, total)
  const way = wayOf(store, write, total, sizes)
  if (way === 'stream') {
    const put = async (): Promise<WrittenObject | undefined> =>
      store.streamPut?.put(write, total as number, () => start.next(HANDED_BYTES))
    return settleWrite(store, write, start, put)
  }
  const partBytes = total === undefined ? sizes.partBytes : partLength(total, sizes.partBytes)
  const first = await start.take(Math.min(partBytes, total ?? partBytes))
  if (await pieces.isDone()) {
    await start.demandEnd()
    return settleWrite(store, write, start, () => store.put(write, first))
  }
  if (write.onlyIf !== undefined && !store.conditionalUploads) throw noCondition(store)
  const plan = { partBytes, partsAtOnce: sizes.partsAtOnce, total }
  const upload = await uploadParts(store, write, first, start, plan)
  return settleWrite(store, write, start, upload.complete, upload.parts)
}

/**
 * Refuses a condition that the store would not honour before anything is sent.
 *
 * @throws KmsError `ERR_KMS_UNSUPPORTED`
 */
function wayOf(
  store: ObjectStore,
  { onlyIf }: ObjectWrite,
  total: number | undefined,
  { partBytes }: Sizes,
): 'stream' | 'parts' {
  if (total !== undefined && total <= partBytes) return 'parts'
  const fits = total !== undefined && total <= (store.streamPut?.maxBytes ?? -1)
  if (fits) return 'stream'
  if (onlyIf !== undefined && !store.conditionalUploads) throw noCondition(store)
  return 'parts'
}

function noCondition({ provider }: ObjectStore): KmsError {
  return new KmsError('ERR_KMS_UNSUPPORTED', {
    provider,
    message: 'onlyIf needs the length of the value and one put: give plaintextBytes',
  })
}
