import type { Bytes } from '../../src/index.ts'
import { demandFunction, integer, plainOptions } from '../../src/checks/index.ts'
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

/** The members that `sqsBatch` reads of a record of SQS; `SQSRecord` of `@types/aws-lambda` fits. */
export interface SqsRecord {
  readonly messageId: string
  readonly body: string
  readonly eventSourceARN: string
  readonly messageAttributes?: Readonly<Record<string, SqsAttribute>> | undefined
}

/** A message attribute: a String has the text form, a Binary the bytes, as base64. */
export interface SqsAttribute {
  readonly stringValue?: string | undefined
  readonly binaryValue?: string | undefined
}

/** An event of SQS. */
export interface SqsEvent<R extends SqsRecord = SqsRecord> {
  readonly Records: readonly R[]
}

/** Options of {@link sqsBatch}. */
export interface SqsBatchOptions<R extends SqsRecord, S extends KmsStack> extends BatchOptions<
  R,
  S
> {
  /**
   * The message attribute that has the envelope: as text form in a String, as bytes in a Binary. By default the
   * body is the envelope, in text form.
   */
  readonly attribute?: string
  /** Records of a standard queue at the same time, 1 to 1,000; 1 by default. Those of a FIFO queue go one by one. */
  readonly concurrency?: number
}

/**
 * Returns a Lambda handler for SQS that decrypts every record and calls `work` for each.
 *
 * All records are decrypted first, with one unwrap for each data key. A record that cannot be decrypted, or whose
 * `work` throws, is in `batchItemFailures`: turn `ReportBatchItemFailures` on, or Lambda counts the whole batch as
 * processed. In a FIFO queue the first failure ends the batch, so that order holds. Records that were not begun when
 * `signal` aborts are failures too.
 *
 * @throws KmsError `ERR_KMS_CONFIG`. The returned handler rejects if `create` does, or the event is not one of SQS.
 *
 * @example
 * ```ts
 * import { EnvelopeCipher } from 'edge-kms'
 * import { EnvKeyProvider } from 'edge-kms/local'
 * import { sqsBatch } from 'edge-kms/lambda'
 *
 * export const handler = sqsBatch(
 *   async (plaintext, record) => {
 *     console.log(record.messageId, plaintext.length)
 *   },
 *   {
 *     create: () => ({ cipher: new EnvelopeCipher({ kms: new EnvKeyProvider(process.env) }) }),
 *     context: () => ({ queue: 'orders' }),
 *     onError: (error, { messageId }) => console.error(messageId, error),
 *   },
 * )
 * ```
 */
export function sqsBatch<
  S extends KmsStack,
  R extends SqsRecord = SqsRecord,
  C extends LambdaContext = LambdaContext,
>(
  work: (plaintext: Bytes, record: R, kms: RecordTools<S, C>) => unknown,
  options: SqsBatchOptions<R, S>,
): (event: SqsEvent<R>, context: C) => Promise<BatchResponse> {
  demandFunction('work', work)
  const { attribute, concurrency = 1, ...others } = plainOptions(options)
  integer('concurrency', concurrency, 1, 1_000)
  if (attribute !== undefined) attributeName(attribute)
  const batch = new Batch<R, S>(others, {
    envelopeOf: (record) => envelopeOf(record, attribute),
    idOf: ({ messageId }) => messageId,
  })
  return (event, context) =>
    batch.run(event, context, async (opened, kms) => {
      const attempt = (record: R, one: Opened): Promise<boolean> =>
        batch.attempt(record, one, (plaintext) => work(plaintext as Bytes, record, kms))
      const isFifo = event.Records.some(isOfFifo)
      return failures(event.Records, opened, {
        attempt,
        signal: kms.signal,
        stopsAtFirst: isFifo,
        concurrency: isFifo ? 1 : concurrency,
      })
    })
}

/** Whether a record is of a FIFO queue, whose order must hold. */
function isOfFifo({ eventSourceARN: queue }: SqsRecord): boolean {
  if (typeof queue === 'string') return queue.endsWith('.fifo')
  throw new TypeError('a record has no eventSourceARN: give an event of SQS')
}

/** A record without the attribute has no bytes, which decrypting refuses. */
function envelopeOf(record: SqsRecord, attribute: string | undefined): Uint8Array {
  if (attribute === undefined) return bytesOfText(record.body)
  const attributes = Object(record.messageAttributes) as Readonly<Record<string, SqsAttribute>>
  const value = Object.hasOwn(attributes, attribute) ? attributes[attribute] : undefined
  const { stringValue, binaryValue } = value ?? {}
  return typeof binaryValue === 'string' ? bytesOfBinary(binaryValue) : bytesOfText(stringValue)
}

interface Pace<R> {
  readonly attempt: (record: R, opened: Opened) => Promise<boolean>
  readonly signal: AbortSignal
  readonly stopsAtFirst: boolean
  readonly concurrency: number
}

/** Returns the records that failed or were not begun, in their order. */
async function failures<R>(
  records: readonly R[],
  opened: readonly Opened[],
  { attempt, signal, stopsAtFirst, concurrency }: Pace<R>,
): Promise<readonly R[]> {
  const failed = new Set(records.keys())
  let next = 0
  let isStopped = false
  const lane = async (): Promise<void> => {
    while (next < records.length && !isStopped && !signal.aborted) {
      const at = next++
      const record = records[at] as R
      if (await attempt(record, opened[at] as Opened)) failed.delete(at)
      else isStopped = stopsAtFirst
    }
  }
  await Promise.all(Array.from({ length: concurrency }, lane))
  return records.filter((_, at) => failed.has(at))
}
