import type { KmsSignalOptions } from '../../src/index.ts'
import { type BegunAnswer, begun } from './answer-streams.ts'
import { BodyStart } from './body-start.ts'
import { readMaps } from './message-headers.ts'
import { HEAD_BYTES, headOf, rewrappedBytesOf } from './message-heads.ts'
import type { GatewayMetrics, RouteName } from './metrics.ts'
import type { GatewaySettings } from './options.ts'
import { codeOf, GatewayError } from './problem.ts'
import type { RequestBody } from './request-body.ts'
import { bytesAnswer, jsonAnswer } from './response.ts'

/** One request, as a handler of a route sees it. */
export interface Call {
  readonly request: Request
  readonly url: URL
  readonly body: RequestBody
  /** The length that the request states. */
  readonly bodyBytes: number | undefined
  /** The answer cannot be chunked. */
  readonly isHttp10: boolean
  /** Keeps work alive after the answer. */
  readonly options: KmsSignalOptions
}

export type Handler = (call: Call) => Response | Promise<Response>

/** Turns a body into an answer. */
interface Work {
  readonly transform: TransformStream<Uint8Array, Uint8Array>
  /** Returns the length of the answer; called if the request states its own. */
  readonly lengthOf: (facts: LengthFacts) => number | undefined
  /** The transform passes on what it is given. */
  readonly keepsPieces?: boolean
}

/** The parts that make up the length of an answer. */
interface LengthFacts {
  /** The first bytes of the request. */
  readonly start: Uint8Array
  readonly bodyBytes: number
  /** The first piece of the answer: of a rewrapped envelope, at least its head. */
  readonly first: Uint8Array
}

/** Returns the routes that take a message. Long bodies stream both ways. */
export function messageRoutes(
  { cipher, kms, kinds, holdBytes }: GatewaySettings,
  metrics: GatewayMetrics,
): Readonly<Record<'encrypt' | 'decrypt' | 'rewrap' | 'inspect', Handler>> {
  async function streamed(
    route: RouteName,
    { body, bodyBytes, isHttp10 }: Call,
    begin: () => Work | Promise<Work>,
  ): Promise<Response> {
    if (bodyBytes === undefined && isHttp10) throw new GatewayError('ERR_GATEWAY_LENGTH_REQUIRED')
    const { transform, lengthOf, keepsPieces = false } = await begin()
    const seen = new BodyStart(HEAD_BYTES)
    const onPiece = (piece: Uint8Array): void => {
      seen.take(piece)
    }
    const answer = await begun(body.through(transform, { keepsPieces, bytes: bodyBytes, onPiece }))
    const start = seen.end()
    const isShort = bodyBytes !== undefined && bodyBytes <= holdBytes
    if (isShort || (route === 'decrypt' && isRecord(start))) return whole(answer)
    const first = answer.first ?? new Uint8Array(0)
    const bytes = bodyBytes === undefined ? undefined : lengthOf({ start, bodyBytes, first })
    const stream = await answer.stream(bytes, {
      onBroken(error) {
        metrics.broken(route, codeOf(error))
        void body.cancel(error)
      },
      onCancel: (reason) => void body.cancel(reason),
    })
    return bytesAnswer(stream, bytes)
  }

  return {
    encrypt: (call) => {
      const maps = readMaps(call.request, call.url, ['context', 'aad'])
      const options = { ...maps, ...call.options, plaintextBytes: call.bodyBytes }
      // The key is there before the answer begins: without one, the answer is a problem.
      return streamed('encrypt', call, async () => {
        const { envelopeBytes, transform } = await cipher.startStream(options)
        return { transform, lengthOf: () => envelopeBytes }
      })
    },

    decrypt: (call) => {
      const maps = readMaps(call.request, call.url, ['context', 'aad'])
      return streamed('decrypt', call, () => ({
        transform: cipher.decryptStream({ ...maps, ...call.options, kinds }),
        lengthOf: ({ start, bodyBytes }) => headOf(start).plaintextBytes(bodyBytes),
      }))
    },

    rewrap: (call) => {
      const maps = readMaps(call.request, call.url, ['context'])
      return streamed('rewrap', call, () => ({
        transform: cipher.rewrapStream({ ...maps, ...call.options }),
        lengthOf: ({ start, first, bodyBytes }) =>
          rewrappedBytesOf(headOf(start), first, bodyBytes),
        keepsPieces: true, // the message's body goes through
      }))
    },

    inspect: async ({ request, url, body }) => {
      readMaps(request, url, [])
      const envelope = headOf(await body.prefix(HEAD_BYTES))
      const canOpen = envelope.wraps.some((wrap) => kms.canUnwrap(wrap, envelope.storedContext))
      return jsonAnswer({ ...envelope.toJSON(), canOpen })
    },
  }
}

async function whole(answer: BegunAnswer): Promise<Response> {
  const bytes = await answer.whole()
  return bytesAnswer(bytes, bytes.length)
}

/** A record is one piece: it is held until its tag is verified, whatever its length. */
function isRecord(start: Uint8Array): boolean {
  return headOf(start).kind.startsWith('record')
}
