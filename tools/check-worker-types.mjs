/**
 * Checks that `edge-kms/workers` and `edge-kms/objects` fit the types that `wrangler types` generates: the Durable Object class has the
 * brand that a namespace demands, an entrypoint the one that a service binding demands, and each binding of a
 * Worker is accepted as it is: that of the service by `createCipherClient`. Without `skipLibCheck`, as a strict
 * project compiles. Needs `dist`.
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
[[secrets_store_secrets]]
binding = "EDGE_KMS_KEY_V1"
store_id = "store"
secret_name = "edge-kms-key-v1"
[[r2_buckets]]
binding = "FILES"
bucket_name = "files"
`,
)
write(
  'worker.ts',
  `import { EnvelopeCipher } from 'edge-kms'
import { EnvKeyProvider } from 'edge-kms/local'
import { readSecrets } from 'edge-kms/workers'
import { CipherEntrypoint, type Ciphers } from 'edge-kms/workers/entrypoint'

export { EdgeKmsStoreObject } from 'edge-kms/workers'

// A type of its own: where another Worker compiles this file for the types of its binding, Env is that Worker's.
type Secrets = { readonly EDGE_KMS_KEY_V1: SecretsStoreSecret }

export class Vault extends CipherEntrypoint<Secrets> {
  protected override async createCiphers(env: Secrets): Promise<Ciphers> {
    const texts = await readSecrets(env, ['EDGE_KMS_KEY_V1'])
    return { default: new EnvelopeCipher({ kms: new EnvKeyProvider(texts) }) }
  }
}

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
// Another Worker, which binds the entrypoint.
mkdirSync(join(folder, 'app'))
write(
  'app/wrangler.toml',
  `name = "an-app"
main = "worker.ts"
compatibility_date = "2026-07-01"
[[services]]
binding = "KMS"
service = "a-worker"
entrypoint = "Vault"
props = { policy = { operations = ["encrypt"], keys = ["default"], context = {} } }
`,
)
write(
  'app/worker.ts',
  `import { createCipherClient, type EnvelopeFacts } from 'edge-kms/workers'

export default {
  async fetch(request, env): Promise<Response> {
    const cipher = createCipherClient(env.KMS)
    const envelope = await cipher.encrypt(new Uint8Array(await request.arrayBuffer()))
    const facts: EnvelopeFacts = await cipher.inspect(envelope)
    // Without the client: the types of the binding itself.
    const result = await env.KMS.encryptText('text', { context: { tenant: facts.kind } })
    // @ts-expect-error -- createCiphers cannot be called by RPC
    void env.KMS.createCiphers
    return new Response(result.ok ? result.value : result.error.code)
  },
} satisfies ExportedHandler<Env>
`,
)
const project = (files) => ({
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
  files,
})
write('tsconfig.json', JSON.stringify(project(['worker.ts', 'stores.ts', 'objects.ts'])))
write('app/tsconfig.json', JSON.stringify(project(['worker.ts'])))

function demand(what, command, args) {
  const done = spawnSync(command, args, { cwd: folder, env: toolEnv(), encoding: 'utf8' })
  if (done.status === 0) return
  console.log(`FAILED ${what}\n${done.stdout}${done.stderr}`)
  process.exit(1)
}

demand('wrangler types', binOf('wrangler', 'wrangler'), ['types'])
const both = ['-c', 'app/wrangler.toml', '-c', 'wrangler.toml', 'app/worker-configuration.d.ts']
demand('wrangler types of both', binOf('wrangler', 'wrangler'), ['types', ...both])
const tsc = join(root, 'node_modules', '.bin', 'tsc')
demand('tsc', tsc, ['-p', '.'])
demand('tsc of the app', tsc, ['-p', 'app'])
console.log('worker-types: ok')
