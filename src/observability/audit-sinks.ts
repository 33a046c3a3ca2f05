import { encodeBase64Url, encodeUtf8 } from '../bytes/index.ts'
import { sha256 } from '../ciphers/index.ts'
import { refuseOthers, wrongOption } from '../checks/index.ts'
import { KmsError } from '../errors.ts'
import { checkEndpoint, Transport } from '../http/index.ts'
import type { DataKeyStore, Network } from '../ports/index.ts'
import { webNetwork } from '../runtime/index.ts'
import type { AuditRecord, AuditSink } from './audit-event.ts'
import { toOcsf } from './ocsf.ts'

/** Whether records go as they are or as OCSF, which has them inside. */
export type AuditFormat = 'record' | 'ocsf'

/**
 * A line of JSON for each record, e.g. to `console.log`.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function lineSink(
  write: (line: string) => void | Promise<void>,
  format: AuditFormat = 'record',
): AuditSink {
  if (typeof write !== 'function') throw wrongOption('write')
  checkFormat(format)
  return {
    async write(records) {
      for (const record of records) await write(jsonOf(record, format))
    },
  }
}

/** Options of {@link fetchSink}. */
export interface FetchSinkOptions {
  /** https; http to a loopback address where that is allowed. */
  readonly url: string
  /** Such as an API key. Sent, never recorded. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly format?: AuditFormat | undefined
  readonly allowHttpLoopback?: boolean | undefined
  readonly network?: Network | undefined
}

/**
 * Lines of JSON in one POST. Any status but 2xx is a failure.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function fetchSink(options: FetchSinkOptions): AuditSink {
  const { format = 'record', headers, allowHttpLoopback, network = webNetwork, ...rest } = options
  const { url: given, ...others } = rest
  refuseOthers(others)
  checkFormat(format)
  const url = checkEndpoint(given, { allowHttpLoopback })
  const transport = new Transport({ network, timeoutMs: 60_000 })
  return {
    async write(records, { signal }) {
      const body = records.map((record) => `${jsonOf(record, format)}\n`).join('')
      const all = { ...headers, 'content-type': 'application/x-ndjson' }
      const { status } = await transport.send({ method: 'POST', url, headers: all, body, signal })
      if (status < 200 || status > 299) throw new KmsError('ERR_STORE_UNAVAILABLE', { status })
    },
  }
}

/** What {@link queueSink} needs of a queue, e.g. a binding of Cloudflare Queues. */
export interface AuditQueue {
  sendBatch(messages: readonly { readonly body: unknown }[]): Promise<unknown>
}

/**
 * A message for each record, in batches of at most 100.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function queueSink(queue: AuditQueue, format: AuditFormat = 'record'): AuditSink {
  if (typeof (queue as Partial<AuditQueue> | null)?.sendBatch !== 'function')
    throw wrongOption('queue')
  checkFormat(format)
  return {
    async write(records) {
      for (let at = 0; at < records.length; at += 100) {
        const batch = records.slice(at, at + 100)
        await queue.sendBatch(batch.map((record) => ({ body: shaped(record, format) })))
      }
    },
  }
}

/**
 * A value for each record in a store of its own, under a hash of writer and place: sort by these to
 * verify. It is written once: another record at that place is a fork, and refused.
 *
 * @throws KmsError `ERR_KMS_CONFIG` if the store is not strong
 */
export function storeSink(store: DataKeyStore): AuditSink {
  if ((store as DataKeyStore | null)?.consistency !== 'strong') throw wrongOption('store')
  return {
    async write(records, { signal }) {
      for (const record of records) {
        const key = await keyOf(record)
        const value = encodeUtf8(jsonOf(record, 'record'))
        if (await store.putIfAbsent(key, value, { signal })) continue
        const held = await store.get(key, { signal })
        if (String(held) !== String(value)) throw new KmsError('ERR_STORE_UNAVAILABLE')
      }
    },
  }
}

/** Data-key stores take keys of one form. */
async function keyOf({ writer, seq }: AuditRecord): Promise<string> {
  return `ek1/${encodeBase64Url(await sha256(encodeUtf8(`edge-kms/audit\n${writer}\n${seq}`)))}`
}

/** A misspelt one would be a record in silence. */
function checkFormat(format: string): void {
  if (format !== 'record' && format !== 'ocsf') throw wrongOption('format')
}

function shaped(record: AuditRecord, format: AuditFormat): unknown {
  return format === 'ocsf' ? toOcsf(record) : record
}

function jsonOf(record: AuditRecord, format: AuditFormat): string {
  return JSON.stringify(shaped(record, format))
}
