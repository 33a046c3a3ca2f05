import type { CurrentKeks } from './current-keks.ts'
import { isKmsError } from '../errors.ts'
import { sleep } from '../runtime/index.ts'
import { type CursorMark, markCursor } from './cursor-mark.ts'
import { classOfError } from './error-class.ts'
import { judge, type JudgedValue, valuesOf } from './judge.ts'
import { checkPage } from './record-page.ts'
import type { RecordSource } from './record-source.ts'
import { callOutside } from './source-calls.ts'
import type { StepSettings } from './step-options.ts'

/** A page is asked for so often, with these pauses between, before a walk gives up. */
const PAUSES_MS = [1_000, 4_000, 15_000]

/** One page of a source, judged. */
export interface WalkedPage {
  readonly source: RecordSource
  readonly records: number
  readonly values: readonly JudgedValue[]
}

/**
 * Walks through all sources once and changes nothing.
 *
 * @throws KmsError the error of a source or KMS that does not answer for 20 seconds
 */
export async function* walkSources(
  settings: StepSettings,
  keks: CurrentKeks,
  signal: AbortSignal | undefined,
): AsyncGenerator<WalkedPage, void, undefined> {
  for (const source of settings.sources) {
    let cursor: string | undefined
    let mark: CursorMark | undefined
    do {
      const from = cursor
      const page: WalkedPage & { readonly next: string | undefined } = await patiently(
        settings,
        signal,
        () => readPage(settings, keks, source, from, signal),
      )
      yield page
      cursor = page.next
      if (cursor !== undefined) mark = markCursor(source.name, mark, from, cursor)
    } while (cursor !== undefined)
  }
}

async function readPage(
  settings: StepSettings,
  keks: CurrentKeks,
  source: RecordSource,
  cursor: string | undefined,
  signal: AbortSignal | undefined,
): Promise<WalkedPage & { readonly next: string | undefined }> {
  const { kms, contextOf, concurrency, pageSize } = settings
  const answer = await callOutside(settings, `source ${source.name}: page`, signal, (options) =>
    source.page(cursor, pageSize, options),
  )
  const page = checkPage(source.name, answer)
  const ports = { kms, contextOf, concurrency, keks }
  const isPrefix = source.kind === 'objects'
  const values = await judge(ports, source.name, valuesOf(page.records), isPrefix, signal)
  return { source, records: page.records.length, values, next: page.cursor }
}

/** Returns what the work returns, within a few attempts. */
async function patiently<T>(
  { network }: StepSettings,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  for (const pauseMs of PAUSES_MS) {
    try {
      return await work()
    } catch (error) {
      signal?.throwIfAborted()
      if (!isKmsError(error) || classOfError(error) !== 'outage') throw error
      await sleep(network, pauseMs, signal)
    }
  }
  return work()
}
