import { r2Bucket, type R2BucketBinding } from '../../adapters/objects/index.ts'
import { type LargeResult, largeRoundTrip } from '../support/objects/large.ts'

interface Env {
  readonly FILES: R2BucketBinding
}

declare const FixedLengthStream: new (bytes: number) => TransformStream<Uint8Array, Uint8Array>

/** The same bytes without the library: what R2's simulation, which runs in the same process, takes by itself. */
async function plainRoundTrip(
  files: R2BucketBinding,
  mib: number,
  write: (files: R2BucketBinding, mib: number) => Promise<void>,
): Promise<LargeResult> {
  const started = Date.now()
  await write(files, mib)
  const put = Date.now()
  const found = await files.get('plain')
  if (found === null || !('body' in found)) throw new Error('there is no object')
  const reader = found.body.getReader()
  while (!(await reader.read()).done);
  return { putMs: put - started, getMs: Date.now() - put, rangesMs: 0 }
}

async function plainPut(files: R2BucketBinding, mib: number): Promise<void> {
  const { readable, writable } = new FixedLengthStream(mib * 1_048_576)
  const putting = files.put('plain', readable)
  const writer = writable.getWriter()
  for (let piece = 0; piece < mib * 4; piece += 1) await writer.write(new Uint8Array(262_144))
  await writer.close()
  await putting
}

async function plainParts(files: R2BucketBinding, mib: number): Promise<void> {
  const upload = await files.createMultipartUpload('plain')
  const parts = []
  for (let part = 1; part <= mib / 8; part += 1) {
    parts.push(await upload.uploadPart(part, new Uint8Array(8_388_608)))
  }
  await upload.complete(parts)
}

export default {
  async fetch(request: Request, { FILES }: Env): Promise<Response> {
    const { searchParams } = new URL(request.url)
    try {
      const mib = Number(searchParams.get('mib'))
      const way = searchParams.get('way')
      if (way === 'plain') return Response.json(await plainRoundTrip(FILES, mib, plainPut))
      if (way === 'plain-parts') return Response.json(await plainRoundTrip(FILES, mib, plainParts))
      const known = way === 'known'
      return Response.json(await largeRoundTrip({ store: r2Bucket(FILES) }, mib, known))
    } catch (error) {
      return new Response((error as Error).stack ?? String(error), { status: 500 })
    }
  },
}
