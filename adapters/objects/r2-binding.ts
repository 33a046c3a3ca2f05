/** The members of an `R2Bucket` binding that `r2Bucket` uses. */
export interface R2BucketBinding {
  head(key: string): Promise<R2ObjectBinding | null>
  get(
    key: string,
    options?: { range?: { offset: number; length: number }; onlyIf?: R2ConditionBinding },
  ): Promise<R2ObjectBinding | R2BodyBinding | null>
  put(
    key: string,
    value: ReadableStream | ArrayBufferView,
    options?: R2WriteOptions & { onlyIf?: R2ConditionBinding },
  ): Promise<R2ObjectBinding | null>
  createMultipartUpload(key: string, options?: R2WriteOptions): Promise<R2UploadBinding>
  delete(key: string): Promise<void>
  /** Of every binding; `objectSource` needs it. */
  list?(options: R2ListOptions): Promise<R2ListBinding>
}

/** The options of a list that are used. */
export interface R2ListOptions {
  prefix?: string
  startAfter?: string
  limit?: number
}

/** The members of an `R2Objects` that are used. */
export interface R2ListBinding {
  readonly objects: readonly { readonly key: string }[]
  readonly truncated: boolean
}

/** Conditions, with ETags without quotes. */
export interface R2ConditionBinding {
  etagMatches?: string
  etagDoesNotMatch?: string
}

/** The metadata that R2 stores beside the bytes. */
export interface R2WriteOptions {
  customMetadata?: Record<string, string>
  httpMetadata?: { contentType?: string }
}

/** The members of an `R2Object` that are used. */
export interface R2ObjectBinding {
  readonly etag: string
  readonly size: number
  readonly version: string
  readonly uploaded: Date
  readonly customMetadata?: Record<string, string>
}

/** The members of an `R2ObjectBody` that are used. */
export interface R2BodyBinding extends R2ObjectBinding {
  readonly body: ReadableStream
  arrayBuffer(): Promise<ArrayBuffer>
}

/** The members of an `R2MultipartUpload` that are used. */
export interface R2UploadBinding {
  uploadPart(
    partNumber: number,
    value: ArrayBufferView,
  ): Promise<{ partNumber: number; etag: string }>
  abort(): Promise<void>
  complete(parts: { partNumber: number; etag: string }[]): Promise<R2ObjectBinding>
}
