import { type Bytes, concatBytes } from '../bytes/index.ts'
import { KmsError } from '../errors.ts'

/**
 * Reads a body of at most `maxBytes`.
 *
 * @throws KmsError `ERR_KMS_RESPONSE_INVALID` if it is longer
 */
export async function readBody(response: Response, maxBytes: number): Promise<Bytes> {
  if (response.body === null) return new Uint8Array(0)
  const reader = response.body.getReader() as ReadableStreamDefaultReader<Bytes>
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
