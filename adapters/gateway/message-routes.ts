import { EncryptedEnvelope, type KmsSignalOptions, type MessageKind } from '../../src/index.ts'
import { readMaps } from './message-headers.ts'
import type { GatewayMetrics, RouteName } from './metrics.ts'
import type { GatewayOptions } from './options.ts'
import { codeOf } from './problem.ts'
import { bytesAnswer, jsonAnswer } from './response.ts'
import { begun, readPrefix, throughTransform } from './streams.ts'

/** A handler of one route. `call` keeps work alive after the answer. */
export type Handler = (request: Request, call: KmsSignalOptions) => Response | Promise<Response>

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
    request: Request,
    transform: TransformStream<Uint8Array, Uint8Array>,
    keepsPieces = false,
  ): Promise<Response> {
    const source = throughTransform(request.body, transform, { keepsPieces })
    const body = await begun(source, (error) => {
      metrics.broken(route, codeOf(error))
    })
    return bytesAnswer(body)
  }

  return {
    encrypt: (request, call) => {
      const options = { ...readMaps(request, ['context', 'aad']), ...call }
      return streamed('encrypt', request, cipher.encryptStream(options))
    },

    decrypt: (request, call) => {
      const options = { ...readMaps(request, ['context', 'aad']), ...call, kinds }
      return streamed('decrypt', request, cipher.decryptStream(options))
    },

    rewrap: (request, call) => {
      const options = { ...readMaps(request, ['context']), ...call }
      return streamed('rewrap', request, cipher.rewrapStream(options), true) // the body goes through
    },

    inspect: async (request) => {
      readMaps(request, [])
      const prefix = await readPrefix(request.body, INSPECT_BYTES)
      const envelope = EncryptedEnvelope.parse(prefix, { prefix: true })
      const canOpen = envelope.wraps.some((wrap) => kms.canUnwrap(wrap))
      return jsonAnswer({ ...envelope.toJSON(), canOpen })
    },
  }
}
