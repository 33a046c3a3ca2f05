import { describe, expect, it } from 'vitest'
import { EncryptedBucket, s3Bucket } from '../../../adapters/objects/index.ts'
import { bucketOver, errorAnswer, OneObject, place, scripted, type Sent } from './s3-script.ts'
import { cipherOf, plaintextOf } from '../../support/objects/world.ts'

const unavailable = { code: 'ERR_STORE_UNAVAILABLE' }
const secret = 'the-secret'

/** A server that changes some answers of an honest one. */
function over(
  change: (request: Sent, honest: OneObject, count: number) => Response | undefined,
): ReturnType<typeof bucketOver> & { server: OneObject } {
  const server = new OneObject()
  let count = 0
  const made = bucketOver((request) => change(request, server, ++count) ?? server.answer(request))
  return { ...made, server }
}

describe('requests to S3', () => {
  it('are signed, unsigned in their payload, and never follow a redirect', async () => {
    const { bucket, sent } = over(() => undefined)
    await bucket.put('a/b c', 'hello', { customMetadata: { team: 'x' } })
    const [put] = sent
    expect(put?.url.href).toBe('https://files.s3.eu-central-1.amazonaws.com/a/b%20c')
    expect(put?.headers.get('authorization')).toMatch(/^AWS4-HMAC-SHA256 Credential=AKIA\//)
    expect(put?.headers.get('authorization')).toContain('x-amz-meta-edge-kms;x-amz-meta-team')
    expect(put?.headers.get('x-amz-content-sha256')).toBe('UNSIGNED-PAYLOAD')
    const away = over(
      () => new Response(null, { status: 307, headers: { location: 'https://evil.example/' } }),
    )
    await expect(away.bucket.put('a', 'x')).rejects.toMatchObject(unavailable)
    expect(away.sent.filter(({ url }) => url.host.includes('evil'))).toEqual([])
  })

  it('are sent again with the same body after 503 SlowDown', async () => {
    const { bucket, sent } = over((_, __, count) =>
      count <= 2 ? errorAnswer(503, 'SlowDown') : undefined,
    )
    await bucket.put('a', 'hello')
    expect(sent.slice(0, 3).map(({ method }) => method)).toEqual(['PUT', 'PUT', 'PUT'])
    expect(sent[2]?.body).toEqual(sent[0]?.body)
    expect(await (await bucket.get('a'))?.text()).toBe('hello')
  })

  it('fail after four attempts, without a secret in the error', async () => {
    const { bucket, sent } = over(() => errorAnswer(500, 'InternalError'))
    const error: unknown = await bucket.put('a', 'x').catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ ...unavailable, retryable: true, status: 500 })
    expect(JSON.stringify([error, (error as Error).stack])).not.toContain(secret)
    expect(sent.filter(({ method }) => method === 'PUT')).toHaveLength(4)
  })

  it('are not repeated where a permission is missing', async () => {
    const { bucket, sent } = over(() => errorAnswer(403, 'AccessDenied'))
    await expect(bucket.get('a')).rejects.toMatchObject({ ...unavailable, retryable: false })
    expect(sent).toHaveLength(1)
  })
})

describe('answers of S3 that must not be believed', () => {
  it('a write after which the object has another size deletes it and throws', async () => {
    const { bucket, server, sent } = over((request, honest) => {
      if (request.method !== 'PUT') return undefined
      return honest.put({ ...request, body: request.body.slice(0, -1) })
    })
    await expect(bucket.put('a', 'hello')).rejects.toThrow('instead of')
    expect(server.bytes).toBeUndefined()
    const deletion = sent.find(({ method }) => method === 'DELETE')
    expect(deletion?.headers.get('if-match')).toBe('"etag-1"')
  })

  it('deletes only the version that this put made, where the bucket has versions', async () => {
    const { bucket, sent } = over((request, honest) => {
      if (request.method !== 'PUT') return undefined
      honest.put({ ...request, body: request.body.slice(0, -1) })
      const headers = { etag: honest.etag, 'x-amz-version-id': 'v-7' }
      return new Response(null, { headers })
    })
    await expect(bucket.put('a', 'hello')).rejects.toMatchObject(unavailable)
    const deletion = sent.find(({ method }) => method === 'DELETE')
    expect(deletion?.url.searchParams.get('versionId')).toBe('v-7')
  })

  it('a completed upload whose status is 200 and whose body is an error fails, and is aborted', async () => {
    const { bucket, sent } = over(({ method, url }) => {
      if (method === 'POST' && url.searchParams.has('uploads')) {
        return new Response('<R><UploadId>u&amp;1</UploadId></R>')
      }
      if (method === 'POST') return errorAnswer(200, 'InternalError')
      if (method === 'PUT') return new Response(null, { headers: { etag: '"part"' } })
      return undefined
    })
    const put = bucket.put('a', plaintextOf(6_000_000))
    await expect(put).rejects.toMatchObject(unavailable)
    const requests = sent.map(({ method, url }) => `${method} ${url.searchParams.toString()}`)
    expect(requests).toContain('DELETE uploadId=u%261')
    expect(requests).toContain('PUT partNumber=2&uploadId=u%261')
  })

  it('an upload with another number of parts than were sent is deleted', async () => {
    let whole = 0
    const { bucket, sent } = over((request, honest) => {
      const { method, url, body } = request
      if (method === 'POST' && url.searchParams.has('uploads')) {
        return new Response('<R><UploadId>u</UploadId></R>')
      }
      if (method === 'POST') return new Response('<R><ETag>&quot;abc-1&quot;</ETag></R>')
      if (method === 'PUT') {
        whole += body.length
        honest.bytes = new Uint8Array(whole)
        return new Response(null, { headers: { etag: '"part"' } })
      }
      return undefined
    })
    const put = bucket.put('a', plaintextOf(6_000_000))
    await expect(put).rejects.toMatchObject(unavailable)
    await expect(put).rejects.toThrow('the store holds 1 parts instead of 2')
    const deletions = sent.filter(({ method }) => method === 'DELETE')
    expect(deletions.map(({ headers }) => headers.get('if-match'))).toContain('"abc-1"')
  })

  it('a pause that is longer than a request may take is not waited for', async () => {
    const { network, sent } = scripted(() => {
      const headers = { 'retry-after': '3600' }
      return new Response('<Error><Code>SlowDown</Code></Error>', { status: 503, headers })
    })
    const files = new EncryptedBucket({
      bucket: s3Bucket({ ...place, network }),
      cipher: cipherOf(1),
      contextOf: () => ({}),
    })
    const error: unknown = await files.get('a').catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ ...unavailable, retryable: true, retryAfterMs: 300_000 })
    expect(sent).toHaveLength(1)
  })

  const etags = ['', '"', '*', 'a b', 'a\tb', 'é', 'x'.repeat(257)]
  it('an ETag that no condition can name is not an ETag, of a put and of a read', async () => {
    for (const etag of etags) {
      const { bucket, server } = over(() => undefined)
      server.etag = `"${etag}"`
      await expect(bucket.put('a', 'x')).rejects.toThrow('no ETag')
      await expect(bucket.get('a')).rejects.toThrow('no ETag')
    }
  })

  it('a completed upload with such an ETag is known by what is stored', async () => {
    for (const etag of [...etags, 'a\nb', '€']) {
      let stored = new Uint8Array()
      const { bucket, sent } = over(({ method, url, body }, honest) => {
        if (method === 'POST' && url.searchParams.has('uploads')) {
          return new Response('<R><UploadId>u</UploadId></R>')
        }
        if (method === 'PUT') {
          stored = Uint8Array.from([...stored, ...body])
          return new Response(null, { headers: { etag: '"part"' } })
        }
        if (method === 'DELETE') return new Response(null, { status: 204 })
        if (method !== 'POST') return undefined
        honest.bytes = stored
        return new Response(`<R><ETag>&quot;${etag}&quot;</ETag></R>`)
      })
      await bucket.put('a', plaintextOf(5_300_000))
      expect(sent.filter(({ method }) => method === 'PUT')).toHaveLength(2)
      expect(sent.at(-1)?.headers.get('range')).not.toBe('bytes=0-0')
    }
  })

  it('another object that a server shows instead of the one that was asked for is not deleted', async () => {
    const theirs = new Uint8Array(99)
    const { bucket, server, sent } = over((request, honest) => {
      if (request.method !== 'PUT') return undefined
      honest.put(request)
      // The server ignores If-Match, and another writer was faster than our check.
      honest.bytes = theirs
      honest.etag = '"theirs"'
      return new Response(null, { headers: { etag: '"ours"' } })
    })
    expect(await bucket.put('a', 'x')).toMatchObject({ etag: 'ours' })
    expect(server.bytes).toBe(theirs)
    expect(sent.filter(({ method }) => method === 'DELETE')).toEqual([])
  })

  const wrongReads: Record<string, (honest: Response) => Response> = {
    'another range': (honest) =>
      new Response(honest.body, {
        status: 206,
        headers: { ...fields(honest), 'content-range': 'bytes 5-9/100' },
      }),
    'no range': (honest) => {
      const { 'content-range': _, ...rest } = fields(honest)
      return new Response(honest.body, { status: 206, headers: rest })
    },
    'no ETag': (honest) => {
      const { etag: _, ...rest } = fields(honest)
      return new Response(honest.body, { status: 206, headers: rest })
    },
    'fewer bytes than it says': (honest) =>
      new Response('x', { status: 206, headers: fields(honest) }),
    '416 for a range inside the object': () => errorAnswer(416, 'InvalidRange'),
  }
  for (const [name, change] of Object.entries(wrongReads)) {
    it(`a read that is answered with ${name} fails`, async () => {
      const { bucket } = over((request, honest) =>
        request.method === 'GET' && request.headers.get('range') !== 'bytes=0-0'
          ? change(honest.get(request))
          : undefined,
      )
      await bucket.put('a', plaintextOf(40_000))
      await expect(bucket.get('a')).rejects.toThrow()
      await expect(bucket.get('a', { range: { offset: 20_000, length: 5 } })).rejects.toThrow()
    })
  }

  it('a server that ignores ranges serves what is short, and is refused beyond', async () => {
    const { bucket } = over((request, honest) => {
      if (request.method !== 'GET') return undefined
      const { 'content-range': _, ...rest } = fields(honest.get(request))
      return new Response(honest.bytes ?? null, { headers: rest })
    })
    await bucket.put('a', 'hello').catch(() => undefined)
    expect(await (await bucket.get('a'))?.text()).toBe('hello')
    await bucket.put('a', plaintextOf(40_000)).catch(() => undefined)
    await expect(bucket.get('a', { range: { suffix: 5 } })).rejects.toMatchObject(unavailable)
  })

  it('an endless answer is cut off', async () => {
    const { bucket } = over(({ method }) => {
      if (method !== 'GET') return undefined
      const endless = new ReadableStream({
        pull(to) {
          to.enqueue(new Uint8Array(1_048_576))
        },
      })
      return new Response(endless, { status: 206, headers: { etag: '"x"' } })
    })
    await expect(bucket.get('a')).rejects.toMatchObject(unavailable)
  })
})

function fields(response: Response): Record<string, string> {
  return Object.fromEntries(response.headers)
}
