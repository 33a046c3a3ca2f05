/**
 * Checks that `edge-kms/workers` and `edge-kms/objects` fit the types that `wrangler types` generates: the Durable Object class has the
 * brand that a namespace demands, and each binding of a Worker is accepted as it is. Without `skipLibCheck`, as a
 * strict project compiles. Needs `dist`.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { binOf, root, toolEnv } from './lib/folders.mjs'
import { scratchFolder } from './lib/pack.mjs'

const folder = scratchFolder('worker-types')
const write = (name, text) => writeFileSync(join(folder, name), text)

mkdirSync(join(folder, 'node_modules'))
symlinkSync(root, join(folder, 'node_modules', 'edge-kms'))
write('package.json', '{ "name": "a-worker", "type": "module" }')
write(
  'wrangler.toml',
  `name = "a-worker"
main = "worker.ts"
compatibility_date = "2026-07-01"
[[durable_objects.bindings]]
name = "STORE"
class_name = "EdgeKmsStoreObject"
[[kv_namespaces]]
binding = "KV"
id = "${'a'.repeat(32)}"
[[d1_databases]]
binding = "DB"
database_name = "keys"
database_id = "00000000-0000-0000-0000-000000000000"
[[r2_buckets]]
binding = "FILES"
bucket_name = "files"
`,
)
write(
  'worker.ts',
  `export { EdgeKmsStoreObject } from 'edge-kms/workers'

export default {
  fetch: () => new Response(),
} satisfies ExportedHandler<Env>
`,
)
write(
  'stores.ts',
  `import type { DataKeyStore, KeyValueStore } from 'edge-kms'
import * as workers from 'edge-kms/workers'

export const records = (env: Env): DataKeyStore[] => [
  new workers.DurableObjectDataKeyStore({ namespace: env.STORE }),
  new workers.D1DataKeyStore({ database: env.DB }),
]
export const values = (env: Env): KeyValueStore[] => [
  new workers.DurableObjectKeyValueStore({ namespace: env.STORE }),
  new workers.D1KeyValueStore({ database: env.DB }),
  new workers.WorkersKvStore({ namespace: env.KV }),
  new workers.CacheApiStore({ cache: caches.default }),
]
`,
)
write(
  'objects.ts',
  `import type { EnvelopeCipher } from 'edge-kms'
import { EncryptedBucket, r2Bucket } from 'edge-kms/objects'

export async function answer(env: Env, cipher: EnvelopeCipher, request: Request): Promise<Response> {
  const files = new EncryptedBucket({ bucket: r2Bucket(env.FILES), cipher, contextOf: () => ({}) })
  await files.put('a', request.body)
  await files.put('a', await request.blob(), { onlyIf: { etagDoesNotMatch: '*' } })
  const found = await files.get('a', { range: { suffix: 5 } })
  return new Response(found?.body)
}
`,
)
write(
  'tsconfig.json',
  JSON.stringify({
    compilerOptions: {
      target: 'esnext',
      lib: ['esnext'],
      module: 'esnext',
      moduleResolution: 'bundler',
      types: ['./worker-configuration.d.ts'],
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      skipLibCheck: false,
    },
    files: ['worker.ts', 'stores.ts', 'objects.ts'],
  }),
)

function demand(what, command, args) {
  const done = spawnSync(command, args, { cwd: folder, env: toolEnv(), encoding: 'utf8' })
  if (done.status === 0) return
  console.log(`FAILED ${what}\n${done.stdout}${done.stderr}`)
  process.exit(1)
}

demand('wrangler types', binOf('wrangler', 'wrangler'), ['types'])
demand('tsc', join(root, 'node_modules', '.bin', 'tsc'), ['-p', '.'])
console.log('worker-types: ok')
