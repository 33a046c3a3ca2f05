import middy from '@middy/core'
import type { LambdaFunctionURLEvent, LambdaFunctionURLResult } from 'aws-lambda'
import { kmsMiddleware } from 'edge-kms/lambda'
import { context, createStack } from './stack.js'

/** The same as `GET /cards/{id}` of http.ts, as a middleware of middy. */
export const handler = middy<LambdaFunctionURLEvent, LambdaFunctionURLResult>()
  .use(kmsMiddleware({ create: createStack, onError: (error) => console.error(error) }))
  .handler(async (event, { kms }) => {
    const { cipher, cards, signal, defer } = kms
    const id = event.rawPath.slice('/cards/'.length)
    const envelope = await cards.get(id, signal)
    if (envelope === undefined) return { statusCode: 404 }
    const card = await cipher.decrypt(envelope, { context, aad: { id }, signal, defer })
    return { statusCode: 200, body: Buffer.from(card).toString() }
  })
