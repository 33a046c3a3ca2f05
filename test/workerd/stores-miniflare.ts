import { build } from 'esbuild'
import { Miniflare } from 'miniflare'
import { D1_SCHEMA, type D1DatabaseBinding } from '../../src/stores/index.ts'

/** The stores' Worker with real bindings; `folder` keeps what they hold, otherwise memory does. */
export async function storesMiniflare(folder?: string): Promise<Miniflare> {
  const bundled = await build({
    entryPoints: [new URL('./stores.worker.ts', import.meta.url).pathname],
    write: false,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    conditions: ['workerd', 'worker', 'browser'],
    logLevel: 'error',
  })
  const miniflare = new Miniflare({
    modules: [
      { type: 'ESModule', path: 'worker.mjs', contents: bundled.outputFiles[0]?.text ?? '' },
    ],
    compatibilityDate: '2026-07-01',
    kvNamespaces: ['KV'],
    d1Databases: ['DB', 'REPAIRS'],
    durableObjects: { STORE: { className: 'EdgeKmsStoreObject', useSQLite: true } },
    ...(folder !== undefined && {
      kvPersist: `${folder}/kv`,
      d1Persist: `${folder}/d1`,
      durableObjectsPersist: `${folder}/do`,
      cachePersist: `${folder}/cache`,
    }),
  })
  await miniflare.ready
  for (const name of ['DB', 'REPAIRS']) {
    const database = (await miniflare.getD1Database(name)) as unknown as D1DatabaseBinding
    for (const sql of D1_SCHEMA.split(';\n')) if (sql !== '') await database.prepare(sql).all()
  }
  return miniflare
}
