import type { CipherClient } from 'edge-kms/workers'

/** A customer as the caller sees it. */
export interface Customer {
  readonly id: string
  readonly name: string
  readonly email: string
  readonly iban: string
}

/** A row whose envelopes do not open: it was moved or changed in the database. */
export interface DamagedCustomer {
  readonly id: string
  readonly error: string
}

/** D1 returns a BLOB as an array of numbers. */
interface Row {
  readonly id: string
  readonly name: string
  readonly email: number[]
  readonly iban: number[]
}

const COLUMNS = ['email', 'iban'] as const
const PAGE = `SELECT id, name, email, iban FROM customers
  WHERE tenant = ? AND id > ? ORDER BY id LIMIT ?`
const PUT = `INSERT INTO customers (tenant, id, name, email, iban) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (tenant, id) DO UPDATE SET name = excluded.name, email = excluded.email, iban = excluded.iban`

/** The rows of one tenant. Each envelope is bound to its tenant, row and column. */
export class Customers {
  readonly #db: D1Database
  readonly #cipher: CipherClient
  readonly #tenant: string

  constructor(db: D1Database, cipher: CipherClient, tenant: string) {
    this.#db = db
    this.#cipher = cipher
    this.#tenant = tenant
  }

  /** Writes a customer: one call of the vault for both columns. */
  async put(customer: Customer): Promise<void> {
    const { id, name } = customer
    const outcomes = await this.#cipher.encryptMany(
      COLUMNS.map((column) => ({
        plaintext: new TextEncoder().encode(customer[column]),
        ...this.#binding(id, column),
      })),
    )
    const envelopes = outcomes.map((outcome) => {
      if (!outcome.ok) throw outcome.error
      return outcome.value
    })
    await this.#db
      .prepare(PUT)
      .bind(this.#tenant, id, name, ...envelopes)
      .run()
  }

  /** Returns the customers after an id: one call of the vault, which unwraps each data key of the page once. */
  async page(after: string, limit: number): Promise<readonly (Customer | DamagedCustomer)[]> {
    const page = this.#db.prepare(PAGE).bind(this.#tenant, after, limit)
    const { results: rows } = await page.all<Row>()
    const texts = await this.#decrypt(rows)
    return rows.map(({ id, name }, i) => {
      const [email, iban] = texts.slice(i * COLUMNS.length, (i + 1) * COLUMNS.length)
      if (typeof email === 'string' && typeof iban === 'string') return { id, name, email, iban }
      return { id, error: 'the row was changed in the database' }
    })
  }

  /** Returns the columns of all rows; `undefined` for one that was tampered with. Any other error is thrown. */
  async #decrypt(rows: readonly Row[]): Promise<readonly (string | undefined)[]> {
    const items = rows.flatMap((row) =>
      COLUMNS.map((column) => ({
        envelope: new Uint8Array(row[column]),
        ...this.#binding(row.id, column),
      })),
    )
    return (await this.#cipher.decryptMany(items)).map((outcome) => {
      if (outcome.ok) return new TextDecoder().decode(outcome.value)
      if (outcome.error.code === 'ERR_DECRYPT_FAILED') return undefined
      throw outcome.error
    })
  }

  #binding(row: string, column: string) {
    return { context: { tenant: this.#tenant }, aad: { table: 'customers', column, row } }
  }
}
