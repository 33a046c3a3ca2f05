/**
 * Encrypted objects in R2 and S3, with ranges and uploads in parts.
 *
 * @module
 */
export type { ObjectCallOptions } from './bounded-calls.ts'
export { EncryptedBucket } from './encrypted-bucket.ts'
export type { EncryptedObject, ReturnedRange } from './encrypted-object.ts'
export type {
  ByteSpan,
  Found,
  NextBytes,
  ObjectCondition,
  ObjectListing,
  ObjectPage,
  ObjectRead,
  ObjectStore,
  ObjectWrite,
  PartUpload,
  StoredObject,
  StreamPut,
  UploadedPart,
  WrittenObject,
} from './object-store.ts'
export type {
  GetObjectOptions,
  ObjectCallSignal,
  ObjectFacts,
  ObjectHead,
  ObjectNotRead,
  ObjectRange,
  PutObject,
  PutObjectOptions,
  RewrapObjectOptions,
  RewrappedObject,
} from './object-types.ts'
export type { ObjectValue } from './object-value.ts'
export type { EncryptedBucketOptions } from './options.ts'
export type {
  R2BodyBinding,
  R2BucketBinding,
  R2ConditionBinding,
  R2ListBinding,
  R2ListOptions,
  R2ObjectBinding,
  R2UploadBinding,
  R2WriteOptions,
} from './r2-binding.ts'
export { objectSource, type ObjectSourceOptions } from './object-source.ts'
export { r2Bucket, type R2BucketOptions } from './r2-bucket.ts'
export { s3Bucket } from './s3-bucket.ts'
export type { S3BucketOptions } from './s3-client.ts'
export type { S3Place } from './s3-place.ts'
