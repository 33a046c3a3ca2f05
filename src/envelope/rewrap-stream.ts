import { type Bytes, copyBytes, toBytes } from '../bytes/index.ts'
import type { MessageHead, ReadPolicy } from '../wire/index.ts'
import { abortableTransform } from './abortable-transform.ts'
import { HeadReader } from './head-reader.ts'
import { wrongBody } from './message-size.ts'

/**
 * Returns a transform from any inline message to the same message with a new key header. The body goes
 * through unread, as copies: the owner of a piece may use its buffer again.
 */
export function rewrapTransform(
  policy: ReadPolicy,
  rewrap: (head: MessageHead) => Promise<Bytes>,
  signal: AbortSignal | undefined,
): TransformStream<Uint8Array, Uint8Array> {
  const heads = new HeadReader(policy)
  let done = false
  /** A data-key record, which nothing may follow: only the end of the stream tells that nothing does. */
  let whole: MessageHead | undefined
  return abortableTransform(signal, {
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
      to.enqueue(await rewrap(head))
      to.enqueue(copyBytes(body))
      done = true
    },
    async flush(to) {
      if (whole !== undefined) to.enqueue(await rewrap(whole))
      else if (!done) throw heads.end()
    },
  })
}
