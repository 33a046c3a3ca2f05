import type { LambdaFunctionURLEvent } from 'aws-lambda'
import { withKms } from 'edge-kms/lambda'
import { context, createStack } from './stack.js'

const PATH = /^\/cards\/([\w-]{1,64})(\/rewrap)?$/

/**
 * A function URL: `PUT /cards/{id}` encrypts and stores, `GET` decrypts, `POST /cards/{id}/rewrap` puts the envelope
 * under the newest key material. The URL lets in callers with IAM rights only: see template.yaml.
 */
export const handler = withKms(
  async (event: LambdaFunctionURLEvent, _context, { cipher, cards, signal, defer }) => {
    const [, id, rewrap] = PATH.exec(event.rawPath) ?? []
    if (id === undefined) return { statusCode: 404 }
    // The id is bound to the envelope: one that is copied to another item does not open.
    const options = { context, aad: { id }, signal, defer }
    const { method } = event.requestContext.http
    if (method === 'PUT') {
      const card = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8')
      await cards.put(id, await cipher.encrypt(card, options), signal)
      return { statusCode: 204 }
    }
    const envelope = await cards.get(id, signal)
    if (envelope === undefined) return { statusCode: 404 }
    if (method === 'POST' && rewrap !== undefined) {
      await cards.put(id, await cipher.rewrap(envelope, { context, signal, defer }), signal)
      return { statusCode: 204 }
    }
    const card = Buffer.from(await cipher.decrypt(envelope, options))
    return { statusCode: 200, headers: { 'cache-control': 'no-store' }, body: card.toString() }
  },
  { create: createStack, onError: (error) => console.error(error) },
)
