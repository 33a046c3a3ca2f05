import type { Bytes } from '../../src/bytes/index.ts'
import type { EnvelopeStart } from './envelope-start.ts'
import type {
  ObjectStore,
  ObjectWrite,
  PartUpload,
  UploadedPart,
  WrittenObject,
} from './object-store.ts'

/** Parts of one object: the limit of R2 and S3. */
const MAX_PARTS = 10_000
const MIB = 1_048_576

/** How an upload is cut. */
export interface UploadPlan {
  readonly partBytes: number
  readonly partsAtOnce: number
  readonly total: number | undefined
}

/** An upload whose parts are stored. Nobody sees it before `complete`. */
export interface ReadyUpload {
  readonly parts: number
  readonly complete: () => Promise<WrittenObject | undefined>
}

/** Returns the length of a part: longer ones where the object would have too many. */
export function partLength(total: number, partBytes: number): number {
  return Math.max(partBytes, Math.ceil(total / MAX_PARTS / MIB) * MIB)
}

/** Uploads the parts. On every failure it drops them before it throws. */
export async function uploadParts(
  store: ObjectStore,
  write: ObjectWrite,
  first: Bytes,
  rest: EnvelopeStart,
  plan: UploadPlan,
): Promise<ReadyUpload> {
  const upload = await store.startUpload(write)
  try {
    const parts = await sendParts(upload, write, first, rest, plan)
    const complete = (): Promise<WrittenObject | undefined> => completeOrAbort(upload, parts)
    return { parts: parts.length, complete }
  } catch (error) {
    await dropParts(upload)
    throw error
  }
}

/** Sends parts, as many at the same time as the plan allows, and one more is held. */
async function sendParts(
  upload: PartUpload,
  { signal }: ObjectWrite,
  first: Bytes,
  rest: EnvelopeStart,
  { partBytes, partsAtOnce, total }: UploadPlan,
): Promise<UploadedPart[]> {
  const failed = new AbortController()
  const ended = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal])
  const parts: UploadedPart[] = []
  const inFlight = new Set<Promise<void>>()
  const send = (partNumber: number, bytes: Bytes): void => {
    const sent = upload.put(partNumber, bytes, ended).then((part) => {
      parts[partNumber - 1] = part
      inFlight.delete(sent)
    })
    sent.catch(() => undefined)
    inFlight.add(sent)
  }
  try {
    let sentBytes = 0
    let bytes = first
    for (let partNumber = 1; bytes.length > 0; partNumber += 1) {
      if (partNumber > MAX_PARTS) throw tooManyParts(partBytes)
      while (inFlight.size >= partsAtOnce) await Promise.race(inFlight)
      send(partNumber, bytes)
      sentBytes += bytes.length
      bytes = await rest.take(Math.min(partBytes, (total ?? Infinity) - sentBytes))
    }
    await rest.demandEnd()
    await Promise.all(inFlight)
    return parts
  } catch (error) {
    failed.abort(error)
    await Promise.allSettled(inFlight)
    throw error
  }
}

async function completeOrAbort(
  upload: PartUpload,
  parts: readonly UploadedPart[],
): Promise<WrittenObject | undefined> {
  try {
    const written = await upload.complete(parts)
    if (written === undefined) await dropParts(upload)
    return written
  } catch (error) {
    // Does nothing if the object was made and only the answer was lost.
    await dropParts(upload)
    throw error
  }
}

/** Parts that stay cost money and are seen by nobody: the bucket's lifecycle rule drops them. */
async function dropParts(upload: PartUpload): Promise<void> {
  await upload.abort().catch(() => undefined)
}

function tooManyParts(partBytes: number): RangeError {
  return new RangeError(
    `the stream has more than ${String(MAX_PARTS)} parts of ${String(partBytes)} bytes: give plaintextBytes, or raise partBytes`,
  )
}
