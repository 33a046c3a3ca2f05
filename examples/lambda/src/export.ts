import type { LambdaFunctionURLEvent } from 'aws-lambda'
import { withKmsStream } from 'edge-kms/lambda'
import { context, createStack } from './stack.js'

/** A streamed answer: all cards, one JSON line each, decrypted while they are sent. */
export const handler = withKmsStream(
  (_event: LambdaFunctionURLEvent, _context, { cipher, cards, signal, defer }) => {
    const lines = async function* (): AsyncGenerator<Uint8Array> {
      for await (const { id, envelope } of cards.all(signal)) {
        const options = { context, aad: { id }, signal, defer }
        const card = Buffer.from(await cipher.decrypt(envelope, options)).toString()
        yield Buffer.from(`${JSON.stringify({ id, card })}\n`)
      }
    }
    return { headers: { 'content-type': 'application/x-ndjson' }, body: lines() }
  },
  { create: createStack, onError: (error) => console.error(error) },
)
