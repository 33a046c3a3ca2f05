import type { Bytes } from '../../src/bytes/index.ts'
import type { BoundedCalls } from './bounded-calls.ts'
import type { PartUpload, UploadedPart, WrittenObject } from './object-store.ts'
import type { R2UploadBinding } from './r2-binding.ts'
import { r2Work } from './r2-work.ts'

/** An upload in parts to R2. */
export class R2Upload implements PartUpload {
  readonly #upload: R2UploadBinding
  readonly #calls: BoundedCalls

  constructor(upload: R2UploadBinding, calls: BoundedCalls) {
    this.#upload = upload
    this.#calls = calls
  }

  async put(partNumber: number, bytes: Bytes, signal: AbortSignal): Promise<UploadedPart> {
    return this.#calls.repeated('uploadPart', signal, () =>
      r2Work(async () => {
        const { etag } = await this.#upload.uploadPart(partNumber, bytes)
        return { partNumber, etag }
      }),
    )
  }

  async complete(parts: readonly UploadedPart[]): Promise<WrittenObject> {
    return this.#calls.once('complete', undefined, () =>
      r2Work(() => this.#upload.complete([...parts])),
    )
  }

  async abort(): Promise<void> {
    await this.#calls.once('abort', undefined, () => r2Work(() => this.#upload.abort()))
  }
}
