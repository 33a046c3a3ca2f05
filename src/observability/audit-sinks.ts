import { encodeBase64Url, encodeUtf8 } from '../bytes/index.ts'
import { oneOf, plainOptions, refuseOthers, wrongOption } from '../checks/index.ts'
import { sha256 } from '../ciphers/index.ts'
import { KmsError } from '../errors.ts'
import { checkEndpoint, Transport } from '../http/index.ts'
import type { DataKeyStore, Network } from '../ports/index.ts'
import { webNetwork } from '../runtime/index.ts'
import type { AuditRecord, AuditSink } from './audit-record.ts'
import { toOcsf } from './ocsf.ts'

/** Whether records are written as they are or as OCSF, which has them inside. */
export type AuditFormat = 'record' | 'ocsf'

/**
 * Returns a sink that writes a line of JSON for each record, e.g. to `console.log`.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function lineSink(
  write: (line: string) => void | Promise<void>,
  format: AuditFormat = 'record',
): AuditSink {
  if (typeof write !== 'function') throw wrongOption('write', 'a function', write)
  checkFormat(format)
  return {
    async write(records) {
      for (const record of records) await write(jsonOf(record, format))
    },
  }
}

/** Options of {@link fetchSink}. */
export interface FetchSinkOptions {
  /** https; http only to a loopback address, if that is allowed. */
  readonly url: string
  /** Such as an API key, in any form that `fetch` takes. Sent, never recorded. */
  readonly headers?: HeadersInit | undefined
  readonly format?: AuditFormat | undefined
  readonly allowHttpLoopback?: boolean | undefined
  readonly network?: Network | undefined
}

/**
 * Returns a sink that sends lines of JSON in one POST for each batch. Any status but 2xx is a failure.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function fetchSink(options: FetchSinkOptions): AuditSink {
  const {
    format = 'record',
    headers,
    allowHttpLoopback,
    network = webNetwork,
    ...rest
  } = plainOptions(options)
  const { url: given, ...others } = rest
  refuseOthers(others)
  checkFormat(format)
  const url = checkEndpoint(given, { allowHttpLoopback })
  const all = headersOf(headers)
  const transport = new Transport({ network, timeoutMs: 60_000 })
  return {
    async write(records, { signal }) {
      const body = records.map((record) => `${jsonOf(record, format)}\n`).join('')
      const { status } = await transport.send({ method: 'POST', url, headers: all, body, signal })
      if (status < 200 || status > 299) throw new KmsError('ERR_STORE_UNAVAILABLE', { status })
    },
  }
}

/** The part of a queue that {@link queueSink} uses, e.g. a binding of Cloudflare Queues. */
export interface AuditQueueBinding {
  sendBatch(messages: readonly { readonly body: unknown }[]): Promise<unknown>
}

/** Cloudflare Queues take 100 messages and 256 KB in one batch. */
const QUEUE_BATCH = { messages: 100, bytes: 200_000 }

/**
 * Returns a sink that sends a message for each record, in batches of at most 100 messages and 200 kB.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function queueSink(queue: AuditQueueBinding, format: AuditFormat = 'record'): AuditSink {
  if (typeof (queue as Partial<AuditQueueBinding> | null)?.sendBatch !== 'function')
    throw wrongOption('queue', 'an object with sendBatch()', queue)
  checkFormat(format)
  return {
    async write(records) {
      let [batch, bytes]: [{ readonly body: unknown }[], number] = [[], 0]
      for (const record of records) {
        const body = shaped(record, format)
        const size = encodeUtf8(JSON.stringify(body)).length
        if (
          batch.length === QUEUE_BATCH.messages ||
          (batch.length > 0 && bytes + size > QUEUE_BATCH.bytes)
        ) {
          await queue.sendBatch(batch)
          ;[batch, bytes] = [[], 0]
        }
        batch.push({ body })
        bytes += size
      }
      if (batch.length > 0) await queue.sendBatch(batch)
    },
  }
}

/** Writes that a store has to take at the same time. */
const STORE_LANES = 16

/**
 * Returns a sink that puts a value for each record into a store of its own, under a hash of writer and place:
 * sort by these to verify. A value is written once: another record at the same place is a fork, and refused.
 *
 * @throws KmsError `ERR_KMS_CONFIG` if the store is not strong
 */
export function storeSink(store: DataKeyStore): AuditSink {
  if ((store as DataKeyStore | null)?.consistency !== 'strong')
    throw wrongOption('store', 'a DataKeyStore whose consistency is "strong"', store)
  const put = async (record: AuditRecord, signal: AbortSignal | undefined): Promise<void> => {
    const key = await keyOf(record)
    const value = encodeUtf8(jsonOf(record, 'record'))
    if (await store.putIfAbsent(key, value, { signal })) return
    const held = await store.get(key, { signal })
    if (String(held) !== String(value))
      throw new KmsError('ERR_STORE_UNAVAILABLE', {
        message: 'another audit record has this place',
      })
  }
  return {
    async write(records, { signal }) {
      let next = 0
      const lane = async (): Promise<void> => {
        for (let record = records[next++]; record !== undefined; record = records[next++])
          await put(record, signal)
      }
      await Promise.all(Array.from({ length: STORE_LANES }, lane))
    },
  }
}

/** Data-key stores take keys of one form. */
async function keyOf({ writer, seq }: AuditRecord): Promise<string> {
  return `ek1/${encodeBase64Url(await sha256(encodeUtf8(`edge-kms/audit\n${writer}\n${seq}`)))}`
}

/** A copy: `fetch` reads the headers at each request, and the caller may change its own. */
function headersOf(given: HeadersInit | undefined): Headers {
  try {
    const headers = new Headers(given)
    headers.set('content-type', 'application/x-ndjson')
    return headers
  } catch {
    // The platform's own message may hold a value.
    throw wrongOption('headers', 'names and values of HTTP headers')
  }
}

/** A misspelt one would be a record in silence. */
function checkFormat(format: AuditFormat): void {
  oneOf('format', format, ['record', 'ocsf'])
}

function shaped(record: AuditRecord, format: AuditFormat): unknown {
  return format === 'ocsf' ? toOcsf(record) : record
}

function jsonOf(record: AuditRecord, format: AuditFormat): string {
  return JSON.stringify(shaped(record, format))
}
