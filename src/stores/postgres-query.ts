import { configError } from '../checks/index.ts'
import { KmsError } from '../errors.ts'
import { checkBinding, type StoreCallOptions, StoreCalls } from './store-calls.ts'

/**
 * The part of a client that the stores use: `Pool` and `Client` of node-postgres and of `@neondatabase/serverless`, and
 * PGlite, as they are. It must speak to the primary.
 */
export interface PostgresClient {
  query(
    text: string,
    values: (string | number | null)[],
  ): Promise<{ readonly rows: readonly unknown[] }>
}

/** Options of every store on PostgreSQL. */
export interface PostgresOptions extends StoreCallOptions {
  readonly client: PostgresClient
}

/** Errors after which nothing was written and the same statement may pass: SQLSTATE class 40. */
const BEATEN: readonly unknown[] = ['40001', '40P01']
/** A statement that others beat so often has lost. */
const MAX_TURNS = 16

const COLUMNS =
  'must have the columns that postgresSchema() gives it: create it with those statements'

/** Completes "table NAME …" for states that say that the table is missing, or another. */
export type PostgresFaults = Readonly<Record<string, string>>

const FAULTS: PostgresFaults = {
  '42P01': 'was not found: create it with the statements of postgresSchema()',
  '3F000': 'was not found, nor was its schema: create both, or correct table',
  '42703': COLUMNS,
  '42804': COLUMNS,
  '42883': COLUMNS,
  '42P10': COLUMNS,
}

/** Classes that a second try does not help: permission, authorization, a database that is not there. */
const FOR_GOOD = /^(?:42501|28...|3D000|25006)$/

/** Statements on one client, one at a time and whole; parameters never become part of a text. */
export class PostgresQueries {
  readonly calls: StoreCalls
  readonly #client: PostgresClient
  readonly #table: string
  readonly #faults: PostgresFaults

  /**
   * @param table - for errors: the name of the table as the statements have it
   * @param faults - by default those of the stores' own tables
   * @throws KmsError `ERR_KMS_CONFIG`
   */
  constructor(
    client: PostgresClient,
    table: string,
    options: StoreCallOptions,
    faults: PostgresFaults = FAULTS,
  ) {
    this.#client = checkBinding('client', client, 'query')
    this.calls = new StoreCalls('postgres', options)
    this.#table = table
    this.#faults = faults
  }

  /**
   * @returns the rows
   * @throws KmsError `ERR_STORE_UNAVAILABLE`; `ERR_KMS_CONFIG` where the table is missing or another
   */
  rows(
    operation: string,
    signal: AbortSignal | undefined,
    text: string,
    ...values: (string | number | null)[]
  ): Promise<readonly unknown[]> {
    return this.calls.run(operation, signal, async (until) => {
      for (let turn = 1; ; turn++) {
        until.throwIfAborted() // nobody hears of it any more
        try {
          const { rows } = await this.#client.query(text, values)
          if (!Array.isArray(rows)) throw this.calls.unreadable(operation)
          return rows as readonly unknown[]
        } catch (error) {
          const state = stateOf(error)
          if (!BEATEN.includes(state) || turn === MAX_TURNS)
            throw this.#typed(operation, state, error)
        }
      }
    })
  }

  #typed(operation: string, state: string | undefined, error: unknown): unknown {
    if (state === undefined) return error
    const fault = this.#faults[state]
    if (fault !== undefined) return configError(`table ${this.#table} ${fault} (SQLSTATE ${state})`)
    return new KmsError('ERR_STORE_UNAVAILABLE', {
      provider: 'postgres',
      operation,
      message: `PostgreSQL refused with SQLSTATE ${state}`,
      retryable: !FOR_GOOD.test(state),
    })
  }
}

/** The error's SQLSTATE: five upper-case letters and digits, where the socket's own codes are longer. */
function stateOf(error: unknown): string | undefined {
  const { code } = Object(error) as Readonly<Record<string, unknown>>
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined
}
