import { Miniflare } from 'miniflare'
import { D1_SCHEMA, type D1DatabaseBinding } from '../../adapters/workers/index.ts'
import { workerModule } from './worker-module.ts'

/** The stores' Worker with real bindings; `folder` keeps what they hold, otherwise memory does. */
export async function storesMiniflare(folder?: string): Promise<Miniflare> {
  const module = await workerModule('./stores.worker.ts')
  const miniflare = new Miniflare({
    modules: [module],
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
