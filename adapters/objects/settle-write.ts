import { equalBytes } from '../../src/bytes/index.ts'
import { KmsError } from '../../src/errors.ts'
import { EncryptedEnvelope } from '../../src/index.ts'
import type { EnvelopeStart } from './envelope-start.ts'
import type { ObjectStore, ObjectWrite, WrittenObject } from './object-store.ts'

/** Of the random salt that follows the head of every stream. */
const SALT_BYTES = 24

/** The object that a write made, as the store confirmed it. */
export interface ConfirmedWrite extends WrittenObject {
  readonly size: number
}

/**
 * Makes the object and compares what is stored with what was meant. An answer may be lost, and a store may keep what
 * it refused: then the object itself tells.
 *
 * @param parts - how many parts it is made of, if it is
 */
export async function settleWrite(
  store: ObjectStore,
  write: ObjectWrite,
  start: EnvelopeStart,
  make: () => Promise<WrittenObject | undefined>,
  parts?: number,
): Promise<ConfirmedWrite> {
  let failure: unknown
  try {
    const written = await make()
    if (written !== undefined) return await confirm(store, write, written, start, parts)
    failure = conflict(store)
  } catch (error) {
    write.signal?.throwIfAborted()
    failure = error
  }
  const found = await ownObject(store, write, start).catch(() => undefined)
  if (start.isWhole && found?.size === start.taken) return found
  // Best effort: what is cut does not decrypt.
  if (found !== undefined) await store.discard(write.key, found).catch(() => undefined)
  throw failure
}

async function confirm(
  store: ObjectStore,
  { key, signal }: ObjectWrite,
  written: WrittenObject,
  start: EnvelopeStart,
  parts: number | undefined,
): Promise<ConfirmedWrite> {
  // R2 and S3 end the ETag of an upload in parts with their number.
  const counted = parts === undefined ? undefined : /-(\d{1,5})$/.exec(written.etag)?.[1]
  const size = start.taken
  const stored = written.size ?? (await sizeOf(store, { key, signal }, written, size))
  // A platform may end the upload of a source that broke as if it were whole: workerd's fetch does.
  const isWhole =
    start.isWhole && stored === size && (counted === undefined || Number(counted) === parts)
  if (isWhole) return { ...written, size }
  await store.discard(key, written).catch(() => undefined)
  const isShort = counted !== undefined && Number(counted) !== parts
  const [unit, got, meant] = isShort
    ? ['parts', counted, parts]
    : ['bytes', stored, start.meant ?? size]
  const message = `the store holds ${String(got)} ${unit} instead of ${String(meant)}: the object was deleted`
  throw new KmsError('ERR_STORE_UNAVAILABLE', {
    provider: store.provider,
    operation: 'put',
    message,
  })
}

/** Asks for the size of the version that was written. If another write has replaced it, nothing is left to compare. */
async function sizeOf(
  store: ObjectStore,
  read: Pick<ObjectWrite, 'key' | 'signal'>,
  { etag }: WrittenObject,
  meant: number,
): Promise<number> {
  const found = await store.read({ ...read, onlyIf: { etagMatches: etag } }, { start: 0, end: 1 })
  // A server may ignore the condition.
  const isOurs = found.state === 'found' && found.object.etag === etag
  return isOurs ? found.object.size : meant
}

/** Returns the object under the key if it begins as this envelope does: no other one can. */
async function ownObject(
  store: ObjectStore,
  { key, signal }: ObjectWrite,
  start: EnvelopeStart,
): Promise<ConfirmedWrite | undefined> {
  const { bytes } = start
  if (bytes.length === 0) return undefined
  // Messages of one data key have the same head: the salt behind it is what is random.
  const { headBytes } = EncryptedEnvelope.parse(bytes, { prefix: true })
  const found = await store.read({ key, signal }, { start: 0, end: bytes.length })
  if (found.state !== 'found' || found.content.length < headBytes + SALT_BYTES) return undefined
  const { content, object } = found
  return equalBytes(content, bytes.subarray(0, content.length)) ? object : undefined
}

function conflict({ provider }: ObjectStore): KmsError {
  return new KmsError('ERR_STORE_CONFLICT', { provider, operation: 'put' })
}
