import { type Bytes, concatBytes } from '../bytes/index.ts'
import { KmsError } from '../errors.ts'
import type { NetworkBody } from '../ports/index.ts'

/**
 * Reads a body of at most `maxBytes`.
 *
 * @throws KmsError `ERR_KMS_RESPONSE_INVALID` if it is longer
 */
export async function readBody(body: NetworkBody | null, maxBytes: number): Promise<Bytes> {
  if (body === null) return new Uint8Array(0)
  const reader = body.getReader()
  const pieces: Bytes[] = []
  let held = 0
  for (;;) {
    const piece = await reader.read()
    if (piece.done) return concatBytes(...pieces)
    held += piece.value.length
    if (held > maxBytes) {
      await reader.cancel()
      throw new KmsError('ERR_KMS_RESPONSE_INVALID', {
        message: 'the answer is too long',
      })
    }
    pieces.push(piece.value)
  }
}
