/** A Worker whose cron trigger rotates the rows of D1, under a lease in D1. */
import {
  D1_SCHEMA,
  type D1DatabaseBinding,
  D1KeyValueStore,
  d1Source,
} from '../../adapters/workers/index.ts'
import { EncryptedEnvelope, EnvelopeCipher } from '../../src/index.ts'
import { createLocalKms } from '../../src/providers/local/index.ts'
import { scheduledRotation } from '../../src/rotation/index.ts'

interface Env {
  readonly DB: D1DatabaseBinding
  /** Versions of the key, base64. */
  readonly KEYS: readonly string[]
}

const context = { tenant: 'acme' }
const kmsOf = ({ KEYS }: Env, count = KEYS.length) =>
  createLocalKms({ versions: KEYS.slice(0, count).map((key, i) => ({ version: i + 1, key })) })
const failures: string[] = []

const { scheduled } = scheduledRotation<Env>({
  rotation: (env) => ({
    kms: kmsOf(env),
    sources: [
      d1Source({ database: env.DB, table: 'notes', key: ['id'], values: ['body'], facts: [] }),
    ],
  }),
  policy: { version: 'changed' },
  lease: ({ DB }) => new D1KeyValueStore({ database: DB }),
  onFailure: ({ error }) => void failures.push(String(error)),
})

async function setUp(env: Env): Promise<void> {
  const statements = [
    'CREATE TABLE notes (id TEXT PRIMARY KEY, body BLOB)',
    ...D1_SCHEMA.split(';\n'),
  ]
  for (const sql of statements) if (sql.trim() !== '') await env.DB.prepare(sql).bind().all()
  const cipher = new EnvelopeCipher({ kms: kmsOf(env, 1) })
  for (const id of ['a', 'b', 'c']) {
    const body = await cipher.encrypt(new TextEncoder().encode(id), { context })
    await env.DB.prepare('INSERT INTO notes VALUES (?, ?)').bind(id, body).all()
  }
}

export default {
  scheduled,
  async fetch(request: Request, env: Env): Promise<Response> {
    if (new URL(request.url).pathname === '/set-up') await setUp(env)
    const { results } = await env.DB.prepare('SELECT body FROM notes ORDER BY id').bind().all()
    const versions = (results as readonly { readonly body: readonly number[] }[]).map(
      ({ body }) => EncryptedEnvelope.parse(new Uint8Array(body)).wraps[0]?.kekVersion,
    )
    return Response.json({ versions, failures })
  },
}
