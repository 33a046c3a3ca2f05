import { type Bytes, toBytes } from '../bytes/index.ts'
import type { MessageHead, ReadPolicy } from '../wire/index.ts'
import { abortableTransform } from './abortable-transform.ts'
import { HeadReader } from './head-reader.ts'

/** Any inline message to the same message with a new key header; the body goes through unread. */
export function rewrapTransform(
  policy: ReadPolicy,
  rewrap: (head: MessageHead) => Promise<Bytes>,
  signal: AbortSignal | undefined,
): TransformStream<Uint8Array, Uint8Array> {
  const heads = new HeadReader(policy)
  let done = false
  return abortableTransform(
    signal,
    async (piece, controller) => {
      const bytes = toBytes(piece, 'a piece of a stream')
      if (done) {
        controller.enqueue(bytes)
        return
      }
      const found = heads.push(bytes)
      if (found === undefined) return
      controller.enqueue(await rewrap(found.head))
      if (found.body.length > 0) controller.enqueue(found.body)
      done = true
    },
    () => {
      if (!done) throw heads.end()
    },
  )
}
