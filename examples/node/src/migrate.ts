import { readFile } from 'node:fs/promises'
import { createPool } from './environment.ts'

const pool = createPool()
await pool.query(await readFile(new URL('../schema.sql', import.meta.url), 'utf8'))
await pool.end()
