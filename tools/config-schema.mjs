/**
 * The JSON Schema of `createKms`'s configuration, for editors: made of the schema that checks it.
 * `node tools/config-schema.mjs` writes it, `--check` compares.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { toJSONSchema } from 'zod/mini'
import { kmsConfigSchema } from '../src/config/kms-config.ts'
import { root } from './lib/folders.mjs'

const path = join(root, 'kms-config.schema.json')
const schema = toJSONSchema(kmsConfigSchema, { io: 'input', reused: 'ref' })
const text = `${JSON.stringify({ title: 'Configuration of edge-kms: one key of one provider', ...schema }, undefined, 2)}\n`

if (!process.argv.includes('--check')) {
  writeFileSync(path, text)
} else if (readFileSync(path, 'utf8') !== text) {
  console.log('kms-config.schema.json is not that of src/config: run node tools/config-schema.mjs')
  process.exitCode = 1
} else {
  console.log('ok kms-config.schema.json')
}
