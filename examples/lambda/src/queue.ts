import type { SQSRecord } from 'aws-lambda'
import { sqsBatch } from 'edge-kms/lambda'
import { context, createStack } from './stack.js'

/**
 * A queue of encrypted orders: the body of each message is the text form of `{ "id", "card" }`, encrypted with the
 * context of stack.ts and the aad `{ queue: 'orders' }`. SQS, its backups and its dead-letter queue see no card.
 */
export const handler = sqsBatch(
  async (plaintext, _record: SQSRecord, { cipher, cards, signal, defer }) => {
    const order = JSON.parse(new TextDecoder().decode(plaintext)) as { id: string; card: string }
    if (!/^\d{12,19}$/.test(order.card)) throw new Error(`order ${order.id} has no card number`)
    const options = { context, aad: { id: order.id }, signal, defer }
    await cards.put(order.id, await cipher.encrypt(Buffer.from(order.card), options), signal)
  },
  {
    create: createStack,
    context: () => context,
    aad: () => ({ queue: 'orders' }),
    onError: (error, { messageId }) => console.error(messageId, error),
  },
)
