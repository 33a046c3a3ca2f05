import { type KmsError, settle } from '../../errors.ts'
import { classOfError } from '../error-class.ts'
import { inParallel } from '../in-parallel.ts'
import { valuesOf, type ValueAt } from '../judge.ts'
import type { RecordChange, RecordPage, RotationRecord } from '../record-source.ts'
import type { RotationFailure } from '../rotation-state.ts'
import { callOutside } from '../source-calls.ts'
import { MAX_SAMPLES } from '../state.ts'
import {
  type ReencryptOptions,
  type ReencryptResult,
  reencryptSettings,
  type ReencryptSettings,
} from './options.ts'
import { Reencrypter } from './reencrypter.ts'

/** How often a value is tried that other writers replace at the same time. */
const TRIES = 3

/**
 * Encrypts stored values again, under new data keys. Use it after a data key leaked; a rewrap keeps the data key, so
 * it does not help. Each value is replaced only if it has not changed since it was read. Context, aad and form stay
 * the same. You may call it again: it starts from the beginning.
 *
 * Clear the caches of your service first (`clear()`, or restart it): a writer that still has the old data key writes new
 * values under it.
 *
 * @throws KmsError `ERR_KMS_CONFIG` if `to` uses a data key that is stored already; the error of a KMS or source that
 * does not answer
 *
 * @example
 * ```ts
 * import { EnvelopeCipher, type EncryptedEnvelope, type KeyManagementService } from 'edge-kms'
 * import { reencryptRecords, type ValueSource } from 'edge-kms/rotation'
 *
 * export async function replaceDataKey(kms: KeyManagementService, users: ValueSource, leaked: string) {
 *   const affects = ({ dataKeyStoreKey }: EncryptedEnvelope) => dataKeyStoreKey === leaked
 *   const [from, to] = [new EnvelopeCipher({ kms }), new EnvelopeCipher({ kms })]
 *   const { isComplete } = await reencryptRecords({ from, to, source: users, affects })
 *   return isComplete
 * }
 * ```
 */
export async function reencryptRecords(options: ReencryptOptions): Promise<ReencryptResult> {
  const settings = reencryptSettings(options)
  const run = new Sweeps(settings)
  for (let sweeps = 0; sweeps < settings.maxSweeps; sweeps += 1) {
    run.beginSweep()
    let cursor: string | undefined
    do cursor = await run.page(cursor)
    while (cursor !== undefined)
    if (!run.changed) break
  }
  return run.result
}

type Failure = Omit<RotationFailure, 'atMs'>

/** The walks through one source. */
class Sweeps {
  changed = true
  readonly #settings: ReencryptSettings
  readonly #reencrypter: Reencrypter
  #reencrypted = 0
  #failed = 0
  #dataKeyRecords = 0
  #failures: Failure[] = []

  constructor(settings: ReencryptSettings) {
    this.#settings = settings
    this.#reencrypter = new Reencrypter(settings)
  }

  get result(): ReencryptResult {
    return {
      isComplete: !this.changed && this.#failed === 0,
      reencrypted: this.#reencrypted,
      failed: this.#failed,
      failures: this.#failures,
      dataKeyRecords: this.#dataKeyRecords,
    }
  }

  /** Failures of an earlier walk count no more: the values are tried again. */
  beginSweep(): void {
    this.changed = false
    this.#failed = 0
    this.#dataKeyRecords = 0
    this.#failures = []
  }

  /** Returns where the next page begins; `undefined` behind the last. */
  async page(cursor: string | undefined): Promise<string | undefined> {
    const { source, pageSize } = this.#settings
    const page: RecordPage = await this.#call('page', (options) =>
      source.page(cursor, pageSize, options),
    )
    let left = valuesOf(page.records)
    for (let tries = 0; tries < TRIES && left.length > 0; tries += 1) {
      const changes = await this.#prepare(left)
      const lost = await this.#swap(changes)
      this.changed ||= changes.length > 0
      left = await this.#readAgain(lost)
    }
    return page.cursor
  }

  /** Returns what values become; notes those that fail, in order. */
  async #prepare(values: readonly ValueAt[]): Promise<readonly RecordChange[]> {
    const { concurrency, signal } = this.#settings
    const outcomes = await inParallel(values, concurrency, async (value) => {
      signal?.throwIfAborted()
      return { value, outcome: await settle(() => this.#reencrypter.next(value)) }
    })
    return outcomes.flatMap(({ value, outcome }) => {
      if (!outcome.ok) this.#fail(value, outcome.error)
      else if (outcome.value === 'data-key-record') this.#dataKeyRecords += 1
      else if (outcome.value !== undefined) return [outcome.value]
      return []
    })
  }

  #fail({ record, field }: ValueAt, error: KmsError): void {
    const verdict = classOfError(error)
    if (verdict === undefined || verdict === 'outage') throw error
    this.#failed += 1
    const at = { source: this.#settings.source.name, id: record.id, field }
    if (this.#failures.length < MAX_SAMPLES)
      this.#failures.push({ ...at, class: verdict as Failure['class'], code: error.code })
  }

  /** Replaces values, and returns those that others replaced first. */
  async #swap(changes: readonly RecordChange[]): Promise<readonly RecordChange[]> {
    if (changes.length === 0) return []
    const { source } = this.#settings
    const outcomes = await this.#call('swap', (options) => source.swap(changes, options))
    const lost = changes.filter((_, i) => outcomes[i] !== 'swapped')
    this.#reencrypted += changes.length - lost.length
    return lost
  }

  async #readAgain(lost: readonly RecordChange[]): Promise<readonly ValueAt[]> {
    if (lost.length === 0) return []
    const { source } = this.#settings
    const ids = [...new Set(lost.map(({ id }) => id))]
    const found = await this.#call('read', (options) => source.read(ids, options))
    const byId = new Map(ids.map((id, i): [string, RotationRecord | undefined] => [id, found[i]]))
    return lost.flatMap(({ id, field }) => {
      const record = byId.get(id)
      return record === undefined ? [] : [{ record, field, value: record.values[field] ?? null }]
    })
  }

  #call<T>(
    name: string,
    work: (options: { readonly signal: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    const { source, signal } = this.#settings
    return callOutside(this.#settings, `source ${source.name}: ${name}`, signal, work)
  }
}
