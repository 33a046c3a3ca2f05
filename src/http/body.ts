import { type Bytes, concatBytes } from '../bytes/index.ts'
import type { NetworkBody } from '../ports/index.ts'

/** Returns a body of at most `maxBytes`, or `undefined` if it is longer. */
export async function readBody(
  body: NetworkBody | null,
  maxBytes: number,
): Promise<Bytes | undefined> {
  if (body === null) return new Uint8Array(0)
  const reader = body.getReader()
  const pieces: Bytes[] = []
  let held = 0
  for (;;) {
    const piece = await reader.read()
    if (piece.done) return concatBytes(...pieces)
    held += piece.value.length
    if (held > maxBytes) {
      void reader.cancel().catch(() => undefined) // it may hang as the body may
      return undefined
    }
    pieces.push(piece.value)
  }
}
