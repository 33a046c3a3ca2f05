import { EncryptedEnvelope, type KmsSignalOptions, type MessageKind } from '../../src/index.ts'
import { begun } from './answer-streams.ts'
import { readMaps } from './message-headers.ts'
import type { GatewayMetrics, RouteName } from './metrics.ts'
import type { GatewayOptions } from './options.ts'
import { codeOf } from './problem.ts'
import type { RequestBody } from './request-body.ts'
import { bytesAnswer, jsonAnswer } from './response.ts'

/** One request, as a handler of a route sees it. */
export interface Call {
  readonly request: Request
  readonly body: RequestBody
  /** Keeps work alive after the answer. */
  readonly options: KmsSignalOptions
}

export type Handler = (call: Call) => Response | Promise<Response>

/** Every kind that has a body. */
const ALL_KINDS: readonly MessageKind[] = [
  'stream',
  'record',
  'stream-by-reference',
  'record-by-reference',
]
/** Holds every head: 64 KiB of header and what stands around it. */
const INSPECT_BYTES = 73_728

/** The routes that take a message. Bodies stream both ways; a record is held until its tag is verified. */
export function messageRoutes(
  { cipher, kms, kinds = ALL_KINDS }: GatewayOptions,
  metrics: GatewayMetrics,
): Readonly<Record<'encrypt' | 'decrypt' | 'rewrap' | 'inspect', Handler>> {
  async function streamed(
    route: RouteName,
    body: RequestBody,
    transform: TransformStream<Uint8Array, Uint8Array>,
    keepsPieces = false,
  ): Promise<Response> {
    const answer = await begun(body.through(transform, { keepsPieces }), {
      onBroken(error) {
        metrics.broken(route, codeOf(error))
        void body.cancel(error)
      },
      onCancel: (reason) => void body.cancel(reason),
    })
    return bytesAnswer(answer)
  }

  return {
    encrypt: ({ request, body, options }) => {
      const maps = readMaps(request, ['context', 'aad'])
      return streamed('encrypt', body, cipher.encryptStream({ ...maps, ...options }))
    },

    decrypt: ({ request, body, options }) => {
      const maps = readMaps(request, ['context', 'aad'])
      return streamed('decrypt', body, cipher.decryptStream({ ...maps, ...options, kinds }))
    },

    rewrap: ({ request, body, options }) => {
      const maps = readMaps(request, ['context'])
      const transform = cipher.rewrapStream({ ...maps, ...options })
      return streamed('rewrap', body, transform, true) // the message's body goes through
    },

    inspect: async ({ request, body }) => {
      readMaps(request, [])
      const prefix = await body.prefix(INSPECT_BYTES)
      const envelope = EncryptedEnvelope.parse(prefix, { prefix: true })
      const canOpen = envelope.wraps.some((wrap) => kms.canUnwrap(wrap))
      return jsonAnswer({ ...envelope.toJSON(), canOpen })
    },
  }
}
