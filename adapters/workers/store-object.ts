import { decodeBase64 } from '../../src/bytes/index.ts'
import { type JsonObject, parseJsonObject } from '../../src/http/index.ts'
import { webRuntime } from '../../src/runtime/index.ts'
import {
  checkDataKeyName,
  checkKey,
  checkTtl,
  MAX_KEY_BYTES,
  MAX_PAGE,
  MAX_TEXT_LENGTH,
} from '../../src/stores/index.ts'
import { RECORDS, SCHEMA, VALUES } from './sql.ts'

/** The part of a `DurableObjectState` with SQLite that the object uses. */
export interface StoreObjectState {
  readonly storage: {
    readonly sql: {
      exec(sql: string, ...values: (string | number)[]): { toArray(): readonly object[] }
    }
  }
}

/**
 * The Durable Object behind `DurableObjectKeyValueStore` and `DurableObjectDataKeyStore`. Export it from
 * the Worker and name it in `new_sqlite_classes`. It imports nothing of the platform, because it answers
 * `fetch` and not RPC, so it loads on every runtime.
 *
 * Each request runs in one turn of one thread, so its reads and writes are atomic. The answer leaves when the
 * writes are durable. Values expire by the object's own clock.
 *
 * @remarks Security: anyone who can call the object can read and write everything in it. Bind it only to
 * Workers that need it, and never forward a client's request to it.
 *
 * @see https://developers.cloudflare.com/durable-objects/api/sqlite-storage-api/
 */
export class EdgeKmsStoreObject {
  /** Only a type: the mark by which a `DurableObjectNamespace` knows a class. */
  declare readonly __DURABLE_OBJECT_BRAND: never
  readonly #sql: StoreObjectState['storage']['sql']

  constructor(state: StoreObjectState) {
    this.#sql = state.storage.sql
    for (const statement of SCHEMA) this.#sql.exec(statement)
  }

  async fetch(request: Request): Promise<Response> {
    const asked = parseJsonObject(new Uint8Array(await request.arrayBuffer()))
    try {
      // From here to the answer nothing is awaited.
      if (asked !== undefined) return Response.json(this.#answer(asked))
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof TypeError)) throw error
    }
    return new Response(null, { status: 400 })
  }

  /** @throws TypeError, RangeError for a request that is not of this protocol */
  #answer(asked: JsonObject): object {
    const now = webRuntime.now()
    switch (asked['op']) {
      case 'get':
        return { value: this.#first(VALUES.get, keyOf(asked), now)?.['value'] }
      case 'put':
        this.#sweep(now)
        this.#first(VALUES.put, keyOf(asked), textOf(asked, 'value'), endOf(asked, now))
        return { done: true }
      case 'swap':
        this.#sweep(now)
        return { done: this.#swap(asked, now) }
      case 'delete':
        this.#first(VALUES.delete, keyOf(asked))
        return { done: true }
      case 'record-get':
        return { value: this.#first(RECORDS.get, nameOf(asked))?.['record'] }
      case 'record-put':
        return { done: this.#wrote(RECORDS.putIfAbsent, nameOf(asked), textOf(asked, 'value')) }
      case 'record-swap': {
        const [next, expected] = [textOf(asked, 'value'), textOf(asked, 'expected')]
        return { done: this.#wrote(RECORDS.swap, nameOf(asked), next, expected) }
      }
      case 'record-delete':
        this.#first(RECORDS.delete, nameOf(asked))
        return { done: true }
      case 'record-list':
        return { keys: this.#list(asked) }
      default:
        throw new TypeError('unknown operation of the store object')
    }
  }

  #swap(asked: JsonObject, now: number): boolean {
    const row = [keyOf(asked), textOf(asked, 'value'), endOf(asked, now), now] as const
    if (asked['expected'] === undefined) return this.#wrote(VALUES.putIfFree, ...row)
    return this.#wrote(VALUES.swap, ...row, textOf(asked, 'expected'))
  }

  #list(asked: JsonObject): readonly unknown[] {
    const { cursor, limit } = asked
    if (typeof cursor !== 'string') throw new TypeError('cursor must be a string')
    if (typeof limit !== 'number' || !(limit >= 1 && limit <= MAX_PAGE + 1)) {
      throw new RangeError(`limit must be 1 to ${String(MAX_PAGE + 1)}`)
    }
    const rows = this.#sql.exec(RECORDS.list, cursor, limit).toArray()
    return rows.map((row) => (row as Row)['key'])
  }

  #sweep(now: number): void {
    this.#sql.exec(VALUES.sweep, now)
  }

  #wrote(sql: string, ...values: (string | number)[]): boolean {
    return this.#first(sql, ...values) !== undefined
  }

  #first(sql: string, ...values: (string | number)[]): Row | undefined {
    return this.#sql.exec(sql, ...values).toArray()[0] as Row | undefined
  }
}

type Row = Readonly<Record<string, unknown>>

function keyOf({ key }: JsonObject): string {
  return checkKey(key as string, MAX_KEY_BYTES)
}

function nameOf({ key }: JsonObject): string {
  return checkDataKeyName(key as string)
}

function endOf({ ttlMs }: JsonObject, now: number): number {
  return now + checkTtl(ttlMs as number)
}

function textOf(asked: JsonObject, name: string): string {
  const text = asked[name]
  if (typeof text !== 'string' || text.length > MAX_TEXT_LENGTH)
    throw new TypeError(`${name} must be a text of at most ${String(MAX_TEXT_LENGTH)} characters`)
  if (decodeBase64(text) === undefined) throw new TypeError(`${name} must be base64`)
  return text
}
