/**
 * Puts every envelope under the newest key material: after a rotation, or to leave a local key. The data is not
 * decrypted here. It may run while the server writes, and may be stopped and started again.
 */
import { createPool, createStack } from './environment.ts'

interface Row {
  readonly tenant: string
  readonly id: string
  readonly email: Buffer
  readonly iban: Buffer
}

const PAGE = `SELECT tenant, id, email, iban FROM customers
  WHERE (tenant, id) > ($1, $2) ORDER BY tenant, id LIMIT 100`
// A row that somebody wrote in between is left alone: it is under the newest key already.
const REPLACE = `UPDATE customers SET email = $3, iban = $4
  WHERE tenant = $1 AND id = $2 AND email = $5 AND iban = $6`

const { cipher } = createStack()
const pool = createPool()
let done = 0
let last = { tenant: '', id: '' }
for (;;) {
  const { rows } = await pool.query<Row>(PAGE, [last.tenant, last.id])
  for (const { tenant, id, email, iban } of rows) {
    const rewrap = (envelope: Buffer) => cipher.rewrap(envelope, { context: { tenant } })
    const fresh = await Promise.all([rewrap(email), rewrap(iban)])
    const { rowCount } = await pool.query(REPLACE, [tenant, id, ...fresh, email, iban])
    done += rowCount ?? 0
  }
  const end = rows.at(-1)
  if (end === undefined) break
  last = end
}
await pool.end()
console.log(`rewrapped ${String(done)} rows`)
