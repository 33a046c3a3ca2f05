import { r2Bucket, type R2BucketBinding } from '../../adapters/objects/index.ts'
import { largeRoundTrip } from '../support/objects/large.ts'

interface Env {
  readonly FILES: R2BucketBinding
}

export default {
  async fetch(request: Request, { FILES }: Env): Promise<Response> {
    const { searchParams } = new URL(request.url)
    try {
      const mib = Number(searchParams.get('mib'))
      const known = searchParams.get('known') === 'true'
      return Response.json(await largeRoundTrip({ store: r2Bucket(FILES) }, mib, known))
    } catch (error) {
      return new Response((error as Error).stack ?? String(error), { status: 500 })
    }
  },
}
