import type { EnvelopeCipher } from 'edge-kms'
import type { Pool } from 'pg'

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

interface Row {
  readonly id: string
  readonly name: string
  readonly email: Buffer
  readonly iban: Buffer
}

const COLUMNS = ['email', 'iban'] as const
const GET = `SELECT id, name, email, iban FROM customers WHERE tenant = $1 AND id = $2`
const PAGE = `SELECT id, name, email, iban FROM customers
  WHERE tenant = $1 AND id > $2 ORDER BY id LIMIT $3`
const PUT = `INSERT INTO customers (tenant, id, name, email, iban) VALUES ($1, $2, $3, $4, $5)
  ON CONFLICT (tenant, id) DO UPDATE SET name = excluded.name, email = excluded.email, iban = excluded.iban`

/** The rows of one tenant. Each envelope is bound to its tenant, row and column. The signal ends calls of the KMS. */
export class Customers {
  readonly #pool: Pool
  readonly #cipher: EnvelopeCipher
  readonly #tenant: string
  readonly #signal: AbortSignal

  constructor(pool: Pool, cipher: EnvelopeCipher, tenant: string, signal: AbortSignal) {
    this.#pool = pool
    this.#cipher = cipher
    this.#tenant = tenant
    this.#signal = signal
  }

  async put(customer: Customer): Promise<void> {
    const { id, name } = customer
    const [email, iban] = await Promise.all(
      COLUMNS.map((column) =>
        this.#cipher.encrypt(Buffer.from(customer[column]), {
          ...this.#binding(id, column),
          signal: this.#signal,
        }),
      ),
    )
    await this.#pool.query(PUT, [this.#tenant, id, name, email, iban])
  }

  /**
   * Returns a customer, `undefined` if there is none.
   *
   * @throws KmsError `ERR_DECRYPT_FAILED` if the row was changed in the database
   */
  async get(id: string): Promise<Customer | undefined> {
    const { rows } = await this.#pool.query<Row>(GET, [this.#tenant, id])
    const [row] = rows
    if (row === undefined) return undefined
    const [email = '', iban = ''] = await Promise.all(
      COLUMNS.map(async (column) => {
        const options = { ...this.#binding(id, column), signal: this.#signal }
        return Buffer.from(await this.#cipher.decrypt(row[column], options)).toString()
      }),
    )
    return { id, name: row.name, email, iban }
  }

  /** Returns the customers after an id. The KMS unwraps each data key of the page once. */
  async page(after: string, limit: number): Promise<readonly (Customer | DamagedCustomer)[]> {
    const { rows } = await this.#pool.query<Row>(PAGE, [this.#tenant, after, limit])
    const texts = await this.#decrypt(rows)
    return rows.map(({ id, name }, i) => {
      const [email, iban] = texts.slice(i * COLUMNS.length, (i + 1) * COLUMNS.length)
      if (email !== undefined && iban !== undefined) return { id, name, email, iban }
      return { id, error: 'the row was changed in the database' }
    })
  }

  /** Returns the columns of all rows; `undefined` for one that was tampered with. Any other error is thrown. */
  async #decrypt(rows: readonly Row[]): Promise<readonly (string | undefined)[]> {
    const items = rows.flatMap((row) =>
      COLUMNS.map((column) => ({ envelope: row[column], ...this.#binding(row.id, column) })),
    )
    const outcomes = await this.#cipher.decryptMany(items, { signal: this.#signal })
    return outcomes.map((outcome) => {
      if (outcome.ok) return Buffer.from(outcome.value).toString()
      if (outcome.error.code === 'ERR_DECRYPT_FAILED') return undefined
      throw outcome.error
    })
  }

  #binding(row: string, column: string) {
    return { context: { tenant: this.#tenant }, aad: { table: 'customers', column, row } }
  }
}
