import { r2Bucket, type R2BucketBinding } from '../../adapters/objects/index.ts'
import { objectCases } from '../support/objects/cases.ts'
import type { ObjectWorld } from '../support/objects/world.ts'

/** The members of the binding that only the test needs. */
interface TestBinding extends R2BucketBinding {
  resumeMultipartUpload(
    key: string,
    uploadId: string,
  ): { uploadPart(partNumber: number, value: Uint8Array): Promise<unknown> }
}

interface Env {
  readonly FILES: TestBinding
}

interface Upload {
  readonly key: string
  readonly uploadId: string
}

/** The bucket, and the uploads that were begun. */
function worldOf(binding: TestBinding): ObjectWorld {
  const uploads: Upload[] = []
  const recording = {
    head: binding.head.bind(binding),
    get: binding.get.bind(binding),
    put: binding.put.bind(binding),
    delete: binding.delete.bind(binding),
    async createMultipartUpload(key, options) {
      const upload = await binding.createMultipartUpload(key, options)
      uploads.push({ key, uploadId: (upload as unknown as Upload).uploadId })
      return upload
    },
  } satisfies R2BucketBinding
  return {
    store: r2Bucket(recording),
    swapsUploads: false,
    async readRaw(key) {
      const found = await binding.get(key)
      if (found === null || !('body' in found)) return undefined
      const bytes = new Uint8Array(await found.arrayBuffer())
      return { bytes, metadata: found.customMetadata ?? {} }
    },
    async writeRaw(key, { bytes, metadata }) {
      await binding.put(key, bytes, { customMetadata: { ...metadata } })
    },
    async pendingUploads() {
      let pending = 0
      for (const { key, uploadId } of uploads) {
        const part = binding.resumeMultipartUpload(key, uploadId).uploadPart(1, new Uint8Array(1))
        pending += await part.then(
          () => 1,
          () => 0,
        )
      }
      return pending
    },
  }
}

export default {
  async fetch(request: Request, { FILES }: Env): Promise<Response> {
    const name = new URL(request.url).searchParams.get('name')
    if (name === null) return Response.json(objectCases.map((one) => one.name))
    try {
      const found = objectCases.find((one) => one.name === name)
      if (found === undefined) throw new Error(`there is no case ${name}`)
      await found.run(worldOf(FILES), `acme/${String(objectCases.indexOf(found))}`)
      return new Response('held')
    } catch (error) {
      return new Response((error as Error).stack ?? String(error), { status: 500 })
    }
  },
}
