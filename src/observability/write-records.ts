import { KmsError } from '../errors.ts'
import type { Network } from '../ports/index.ts'
import { sleep, withTimeout } from '../runtime/index.ts'
import type { AuditRecord, AuditSink } from './audit-record.ts'

/** Bounds of a write. */
export interface WriteBounds {
  readonly sink: AuditSink
  readonly timeoutMs: number
  readonly network: Network
}

/** The pause before the second attempt; each further one is twice as long. */
const FIRST_RETRY_MS = 25

/**
 * Resolves when the sink has taken the records. A sink that rejects is asked again until the time is up.
 *
 * @throws KmsError `ERR_STORE_UNAVAILABLE` after `timeoutMs`, with what the sink threw last as its cause
 */
export async function writeRecords(
  records: readonly AuditRecord[],
  { sink, timeoutMs, network }: WriteBounds,
): Promise<void> {
  let cause: unknown
  const attempts = async (signal: AbortSignal): Promise<void> => {
    for (let delayMs = FIRST_RETRY_MS; ; delayMs *= 2) {
      try {
        await sink.write(records, { signal })
        return
      } catch (error) {
        cause = error
      }
      await sleep(network, delayMs, signal)
    }
  }
  const message = `the audit sink did not accept the records within ${timeoutMs} ms`
  const error = (): KmsError => new KmsError('ERR_STORE_UNAVAILABLE', { message, cause })
  await withTimeout(attempts, { timeoutMs, network, error })
}
