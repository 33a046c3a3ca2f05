import { decodeUtf8, encodeUtf8 } from '../bytes/index.ts'
import { wrongOption } from '../checks/index.ts'
import { KmsError } from '../errors.ts'
import type { DataKeyStore, DataKeyStoreOptions, MissingWraps, RepairLog } from '../ports/index.ts'

/** One page of notes; no `cursor` means that it is the last. */
export interface RepairPage {
  readonly notes: readonly MissingWraps[]
  readonly cursor?: string
}

/** How often a note is written again that another writer changed in between. */
const ATTEMPTS = 5

/**
 * Keeps notes of missing wraps in a strong store. Give it its own store, because a list of data keys must not contain
 * notes. A note that is done is replaced by an empty one, because a deletion has no condition and could lose a note
 * written in between.
 */
export class StoreRepairLog implements RepairLog {
  readonly #store: DataKeyStore

  /** @throws KmsError `ERR_KMS_CONFIG` if the store is not strong */
  constructor(store: DataKeyStore) {
    if ((store as DataKeyStore | null)?.consistency !== 'strong') {
      const got: unknown = (store as Partial<DataKeyStore> | null)?.consistency
      throw wrongOption('store.consistency', 'strong', got)
    }
    this.#store = store
  }

  note(missing: MissingWraps, options: DataKeyStoreOptions): Promise<void> {
    return this.#change(missing, options, (held) => {
      const providers = [...new Set([...(held?.providers ?? []), ...missing.providers])]
      return { ...missing, providers, atMs: held?.atMs ?? missing.atMs }
    })
  }

  /** Notes that the data key has all its wraps again. */
  done(missing: MissingWraps, options: DataKeyStoreOptions): Promise<void> {
    return this.#change(missing, options, () => ({ ...missing, providers: [] }))
  }

  /** Returns the notes that are not done, a page at a time. */
  async list(
    cursor: string | undefined,
    limit: number,
    options: DataKeyStoreOptions,
  ): Promise<RepairPage> {
    const page = await this.#store.list(cursor, limit, options)
    const records = await Promise.all(page.keys.map((key) => this.#store.get(key, options)))
    const notes = records.flatMap((record) => (record === undefined ? [] : [parsed(record)]))
    const open = notes.filter(({ providers }) => providers.length > 0)
    return { notes: open, ...(page.cursor !== undefined && { cursor: page.cursor }) }
  }

  async #change(
    { dataKey }: MissingWraps,
    options: DataKeyStoreOptions,
    next: (held: MissingWraps | undefined) => MissingWraps,
  ): Promise<void> {
    const key = keyOf(dataKey)
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const held = await this.#store.get(key, options)
      const record = encodeUtf8(JSON.stringify(next(held && parsed(held))))
      const isWritten =
        held === undefined
          ? await this.#store.putIfAbsent(key, record, options)
          : await this.#store.compareAndSwap(key, held, record, options)
      if (isWritten) return
    }
    throw new KmsError('ERR_STORE_UNAVAILABLE', {
      message: 'other writers changed the note of missing wraps at the same time: note it again',
    })
  }
}

/** Data-key stores take keys of one form: the salt of `edge-kms:dk` makes one. */
function keyOf(dataKey: string): string {
  const [, salt] = /^([\w-]{43})\.\d{1,16}$/.exec(dataKey) ?? []
  if (salt === undefined)
    throw new KmsError('ERR_STORE_UNAVAILABLE', {
      message: 'dataKey must be a value of edge-kms:dk, got other text',
    })
  return `ek1/${salt}`
}

/** The store is not trusted: a malformed note fails here, and never replaces another. */
function parsed(record: Uint8Array): MissingWraps {
  try {
    const { dataKey, providers, atMs } = JSON.parse(decodeUtf8(record) ?? '') as MissingWraps
    const areNames = providers.every((name) => typeof name === 'string')
    if (typeof dataKey === 'string' && areNames && Number.isFinite(atMs))
      return { dataKey, providers: [...providers], atMs }
  } catch {
    // Falls through to the error.
  }
  throw new KmsError('ERR_STORE_UNAVAILABLE', { message: 'a note of missing wraps is malformed' })
}
