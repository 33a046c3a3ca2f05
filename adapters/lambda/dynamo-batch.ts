import type { Bytes } from '../../src/index.ts'
import { demandFunction, oneOf, plainOptions } from '../../src/checks/index.ts'
import {
  attributeName,
  Batch,
  type BatchOptions,
  type BatchResponse,
  bytesOfBinary,
  bytesOfText,
  type Opened,
  type RecordTools,
} from './batch.ts'
import type { KmsStack, LambdaContext } from './types.ts'

/** One value of an item: `S` has the text form, `B` the bytes, as base64 in Lambda's events. */
export interface DynamoValue {
  readonly S?: string
  readonly B?: string | Uint8Array
  readonly NULL?: boolean
}

/** The members that `dynamoBatch` reads of a record of a DynamoDB stream; `DynamoDBRecord` of `@types/aws-lambda` fits. */
export interface DynamoRecord {
  readonly eventName?: 'INSERT' | 'MODIFY' | 'REMOVE' | undefined
  readonly dynamodb?:
    | {
        readonly SequenceNumber?: string | undefined
        readonly NewImage?: Readonly<Record<string, object>> | undefined
        readonly OldImage?: Readonly<Record<string, object>> | undefined
      }
    | undefined
}

/** An event of a DynamoDB stream. */
export interface DynamoEvent<R extends DynamoRecord = DynamoRecord> {
  readonly Records: readonly R[]
}

/** Options of {@link dynamoBatch}. */
export interface DynamoBatchOptions<
  R extends DynamoRecord,
  S extends KmsStack,
> extends BatchOptions<R, S> {
  /** The attribute that has the envelope: as text form in an `S`, as bytes in a `B`. */
  readonly attribute: string
  /** The image that has the attribute; `'NewImage'` by default. The stream's view type must include it. */
  readonly image?: 'NewImage' | 'OldImage'
}

/**
 * Returns a Lambda handler for a DynamoDB stream that decrypts one attribute of every record and calls `work` for
 * each, in order.
 *
 * All records are decrypted first, with one unwrap for each data key. The first record that cannot be decrypted, or
 * whose `work` throws, ends the batch. `batchItemFailures` then has only its sequence number, so Lambda delivers it
 * and all later records again. Turn `ReportBatchItemFailures` on. The same holds for the first record that was not
 * begun when `signal` aborts.
 *
 * `plaintext` is `undefined` if the image or the attribute is missing or NULL: in a REMOVE, or an item of another
 * kind. Decide how to handle that: anyone who can write the table can remove the attribute.
 *
 * @throws KmsError `ERR_KMS_CONFIG`. The returned handler rejects if `create` does, or the event is of another kind.
 *
 * @example
 * ```ts
 * import { EnvelopeCipher } from 'edge-kms'
 * import { EnvKeyProvider } from 'edge-kms/local'
 * import { dynamoBatch } from 'edge-kms/lambda'
 *
 * export const handler = dynamoBatch(
 *   async (plaintext, record) => {
 *     console.log(record.eventName, plaintext?.length)
 *   },
 *   {
 *     create: () => ({ cipher: new EnvelopeCipher({ kms: new EnvKeyProvider(process.env) }) }),
 *     attribute: 'card',
 *     context: () => ({ table: 'orders' }),
 *     onError: (error, { dynamodb }) => console.error(dynamodb?.SequenceNumber, error),
 *   },
 * )
 * ```
 */
export function dynamoBatch<
  S extends KmsStack,
  R extends DynamoRecord = DynamoRecord,
  C extends LambdaContext = LambdaContext,
>(
  work: (plaintext: Bytes | undefined, record: R, kms: RecordTools<S, C>) => unknown,
  options: DynamoBatchOptions<R, S>,
): (event: DynamoEvent<R>, context: C) => Promise<BatchResponse> {
  demandFunction('work', work)
  const { attribute, image = 'NewImage', ...others } = plainOptions(options)
  attributeName(attribute)
  oneOf('image', image, ['NewImage', 'OldImage'])
  const batch = new Batch<R, S>(others, {
    envelopeOf: ({ dynamodb }) => envelopeOf(dynamodb?.[image], attribute),
    idOf: ({ dynamodb }) => dynamodb?.SequenceNumber as string,
  })
  return (event, context) =>
    batch.run(event, context, async (opened, kms) => {
      for (const [at, record] of event.Records.entries()) {
        if (kms.signal.aborted) return [record]
        const call = (plaintext: Bytes | undefined): unknown => work(plaintext, record, kms)
        if (!(await batch.attempt(record, opened[at] as Opened, call))) return [record]
      }
      return []
    })
}

/** NULL is a missing value. One of any other type has no bytes, which decrypting refuses. */
function envelopeOf(
  image: Readonly<Record<string, object>> | undefined,
  attribute: string,
): Uint8Array | undefined {
  const found = Object(image) as Readonly<Record<string, object>>
  if (!Object.hasOwn(found, attribute)) return undefined
  const { S: text, B: binary, NULL: isNull } = Object(found[attribute]) as DynamoValue
  if (isNull === true) return undefined
  return binary === undefined ? bytesOfText(text) : bytesOfBinary(binary)
}
