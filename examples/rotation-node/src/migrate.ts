import { readFile } from 'node:fs/promises'
import { postgresSchema } from 'edge-kms/stores'
import { createPool } from './environment.ts'

const pool = createPool()
await pool.query(await readFile(new URL('../schema.sql', import.meta.url), 'utf8'))
await pool.query(postgresSchema())
await pool.end()
