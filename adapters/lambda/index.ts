/**
 * AWS Lambda: handlers with a cipher and a signal, batches, encrypted environment values, snapshots.
 *
 * @module
 */
export {
  decryptEnv,
  type DecryptEnvOptions,
  encryptEnvValue,
  type EnvValueOptions,
} from './env-values.ts'
export {
  dynamoBatch,
  type DynamoBatchOptions,
  type DynamoEvent,
  type DynamoRecord,
} from './dynamo-batch.ts'
export type { HttpProblem } from './http-events.ts'
export {
  type KmsContext,
  kmsMiddleware,
  type KmsMiddleware,
  type KmsMiddlewareOptions,
  type MiddyRequest,
} from './kms-middleware.ts'
export { snapshotRuntime } from './snapshot-runtime.ts'
export { type KeyHolder, type SnapshotOptions, snapshotPoint } from './snapshot-point.ts'
export {
  type SqsAttribute,
  sqsBatch,
  type SqsBatchOptions,
  type SqsEvent,
  type SqsRecord,
} from './sqs-batch.ts'
export type { BatchOptions, BatchResponse, RecordTools } from './batch.ts'
export type { InvocationTools, KmsStack, KmsTools, LambdaContext, LambdaOptions } from './types.ts'
export { withKms, type WithKmsOptions } from './with-kms.ts'
export type { AnswerBody } from './answer-body.ts'
export type { StreamedAnswer } from './response-stream.ts'
export { type BufferedAnswer, withKmsStream } from './with-kms-stream.ts'
