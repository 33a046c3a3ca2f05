/**
 * The JSON Schemas of `createKms`'s and `createResilientKms`'s configurations, for editors: made of the
 * schemas that check them. `node tools/config-schema.mjs` writes them, `--check` compares.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { toJSONSchema } from 'zod/mini'
import { kmsConfigSchema } from '../src/config/kms-config.ts'
import { resilientConfigSchema } from '../src/config/resilience.ts'
import { root } from './lib/folders.mjs'

/** @type {[file: string, title: string, schema: import('zod/mini').ZodMiniType][]} */
const schemas = [
  ['kms-config.schema.json', 'Configuration of edge-kms: one key of one provider', kmsConfigSchema],
  [
    'resilient-kms-config.schema.json',
    'Configuration of edge-kms: one key or several, the layers against outages, and the cache',
    resilientConfigSchema,
  ],
]

for (const [file, title, schema] of schemas) {
  const path = join(root, file)
  const made = { title, ...toJSONSchema(schema, { io: 'input', reused: 'ref' }) }
  const text = `${JSON.stringify(made, undefined, 2)}\n`
  if (!process.argv.includes('--check')) {
    writeFileSync(path, text)
  } else if (readFileSync(path, 'utf8') !== text) {
    console.log(`${file} is not that of src/config: run node tools/config-schema.mjs`)
    process.exitCode = 1
  } else {
    console.log(`ok ${file}`)
  }
}
