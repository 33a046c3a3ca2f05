import { EncryptedBucket, s3Bucket, type S3BucketOptions } from '../../../adapters/objects/index.ts'
import type { Network } from '../../../src/index.ts'
import { cipherOf } from '../../support/objects/world.ts'

/** One request as it left the library. */
export interface Sent {
  readonly method: string
  readonly url: URL
  readonly headers: Headers
  readonly body: Uint8Array
}

export type Answerer = (request: Sent) => Response | Promise<Response>

export const place = {
  bucket: 'files',
  region: 'eu-central-1',
  credentials: { accessKeyId: 'AKIA', secretAccessKey: 'the-secret' },
} as const

/** A network that answers from a function, without pauses between attempts. */
export function scripted(answer: Answerer): { network: Network; sent: Sent[] } {
  const sent: Sent[] = []
  const network: Network = {
    async fetch(url, { method = 'GET', headers, body }) {
      const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body
      const request = {
        method,
        url: new URL(url),
        headers: new Headers(headers),
        body: (bytes as Uint8Array | undefined) ?? new Uint8Array(),
      }
      sent.push(request)
      return answer(request)
    },
    after(delayMs, callback) {
      const timer = setTimeout(callback, delayMs > 5_000 ? delayMs : 0)
      return () => {
        clearTimeout(timer)
      }
    },
    jitter: () => 0,
  }
  return { network, sent }
}

/** A bucket behind such a network, and what it sent. */
export function bucketOver(
  answer: Answerer,
  options: Partial<S3BucketOptions> = {},
): { bucket: EncryptedBucket; sent: Sent[] } {
  const { network, sent } = scripted(answer)
  const bucket = new EncryptedBucket({
    bucket: s3Bucket({ ...place, network, ...options }),
    cipher: cipherOf(1),
    contextOf: () => ({}),
    partBytes: 5_242_880,
  })
  return { bucket, sent }
}

export function errorAnswer(status: number, code: string): Response {
  return new Response(`<?xml version="1.0"?><Error><Code>${code}</Code></Error>`, { status })
}

/** A server of one object that does as S3 does. */
export class OneObject {
  bytes: Uint8Array<ArrayBuffer> | undefined
  metadata: Record<string, string> = {}
  etag = '"etag-1"'

  readonly answer = (request: Sent): Response => {
    if (request.method === 'PUT') return this.put(request)
    if (request.method === 'DELETE') {
      this.bytes = undefined
      return new Response(null, { status: 204 })
    }
    return this.get(request)
  }

  put({ body, headers }: Sent): Response {
    this.bytes = new Uint8Array(body)
    this.metadata = Object.fromEntries(
      [...headers].filter(([name]) => name.startsWith('x-amz-meta-')),
    )
    return new Response(null, { headers: { etag: this.etag } })
  }

  get({ headers }: Sent): Response {
    if (this.bytes === undefined) return errorAnswer(404, 'NoSuchKey')
    const [start = 0, last = 0] = (headers.get('range') ?? '').match(/\d+/g)?.map(Number) ?? []
    const end = Math.min(last + 1, this.bytes.length)
    return new Response(this.bytes.slice(start, end), {
      status: 206,
      headers: {
        etag: this.etag,
        ...this.metadata,
        'content-range': `bytes ${String(start)}-${String(end - 1)}/${String(this.bytes.length)}`,
      },
    })
  }
}
