import { type Bytes, concatBytes, copyBytes, toBytes } from '../bytes/index.ts'
import { oneOf } from '../checks/index.ts'
import { KmsError } from '../errors.ts'
import { canonicalContext, type EncryptionContext } from '../kms/index.ts'
import { encodeHead, type MessageHead, type MessageKind, parseMessage } from '../wire/index.ts'
import { abortableTransform } from './abortable-transform.ts'
import { checkOptions, mapsOf, signalOptions } from './call-options.ts'
import { HeadReader } from './head-reader.ts'
import { leastBodyBytes, wrongBody } from './message-size.ts'
import type { CallOptions, RewrapOptions } from './options.ts'
import { type CipherSettings, readPolicy } from './settings.ts'

/** Kinds with wraps. A message by reference is rewrapped through its data-key record. */
const WRAPPED_KINDS: readonly MessageKind[] = ['record', 'stream', 'data-key-record']

/** The `aad` of the message may come along with its other options: a rewrap does not touch it. */
const REWRAP_OPTIONS: ReadonlySet<string> = new Set(['context', 'aad', 'verify', 'signal', 'defer'])

/** Returns the same message in memory under the KEKs that are configured now. */
export async function rewrapMessage(
  settings: CipherSettings,
  envelope: Uint8Array,
  options: RewrapOptions,
): Promise<Bytes> {
  const call = rewrapCall(options)
  call.signal?.throwIfAborted()
  const bytes = copyBytes(toBytes(envelope, 'envelope'))
  const head = parseMessage(bytes, readPolicy(settings, WRAPPED_KINDS))
  const body = bytes.subarray(head.bodyAt)
  if (body.length < leastBodyBytes(head.kind)) throw wrongBody(head.kind)
  return concatBytes(await rewrapHead(settings, head, call), body)
}

/**
 * Returns a transform that does the same to a message of any size. The body goes through unread, as
 * copies: the owner of a piece may use its buffer again.
 */
export function rewrapStream(
  settings: CipherSettings,
  options: RewrapOptions,
): TransformStream<Uint8Array, Uint8Array> {
  const call = rewrapCall(options)
  const heads = new HeadReader(readPolicy(settings, WRAPPED_KINDS))
  let done = false
  /** A data-key record, which nothing may follow: only the end of the stream tells that nothing does. */
  let whole: MessageHead | undefined
  return abortableTransform(call.signal, {
    async transform(piece, to) {
      const bytes = toBytes(piece, 'a piece of a stream')
      if (done) {
        if (bytes.length > 0) to.enqueue(copyBytes(bytes))
        return
      }
      const found = heads.push(bytes)
      if (found === undefined) return
      const { head, body } = found
      if (head.kind === 'data-key-record') {
        if (body.length > 0) throw wrongBody(head.kind)
        whole = head
        return
      }
      to.enqueue(await rewrapHead(settings, head, call))
      to.enqueue(copyBytes(body))
      done = true
    },
    async flush(to) {
      if (whole !== undefined) to.enqueue(await rewrapHead(settings, whole, call))
      else if (!done) throw heads.end()
    },
  })
}

interface RewrapCall extends CallOptions {
  readonly context: EncryptionContext
  readonly verify: NonNullable<RewrapOptions['verify']>
}

/** The options, checked and copied. */
function rewrapCall(options: RewrapOptions): RewrapCall {
  checkOptions(options, REWRAP_OPTIONS)
  return {
    context: canonicalContext(mapsOf(options).context).map,
    verify: oneOf('verify', options.verify ?? 'open', ['open', 'kms']),
    ...signalOptions(options),
  }
}

async function rewrapHead(
  { keys }: CipherSettings,
  { kind, header }: MessageHead,
  { context, ...call }: RewrapCall,
): Promise<Bytes> {
  if (header === undefined) throw new KmsError('ERR_WIRE_KIND_REFUSED')
  const next = await keys.rewrap(header, context, call)
  return encodeHead(kind, next.bytes)
}
