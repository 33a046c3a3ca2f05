import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Miniflare } from 'miniflare'
import { createFakeAws } from '../../../adapters/fakes/index.ts'
import { scratchFolder } from '../../../tools/lib/pack.mjs'
import { workerOptions } from './project.mjs'

/** A token for each tenant; the binding's policy allows the tenants that begin with `eu-`. */
export const TOKENS = {
  'eu-acme': 'a'.repeat(32),
  'eu-globex': 'b'.repeat(32),
  'us-initech': 'c'.repeat(32),
}

/** A Worker that somebody deployed with a binding to the vault, and without props. */
const STRANGER = `export default {
  async fetch(request, env) {
    const context = { tenant: 'eu-acme' }
    const answers = await Promise.all([
      env.KMS.encryptText('text', { context }),
      env.KMS.decryptMany([{ envelope: new Uint8Array(200), context }]),
      env.FILES.get('eu-acme/report.txt'),
      env.FILES.put('eu-acme/report.txt', new Response('x').body, { plaintextBytes: 1, type: '' }),
    ])
    return Response.json(answers)
  },
}`

/**
 * @typedef {ReturnType<typeof import('../../servers/lib/report.mjs').createReport>} Report
 * @typedef {Awaited<ReturnType<typeof openWorld>>} World
 */

/**
 * The two Workers as they would be uploaded, under their own wrangler.toml, over a fake of AWS KMS that checks
 * signatures. Each start is a new isolate of each Worker. D1 and R2 stay; the Durable Object does not.
 *
 * @param {import('./project.mjs').Project} project
 */
export async function openWorld(project) {
  const optionsOf = await workerOptions(project)
  const aws = createFakeAws()
  const state = scratchFolder('workers-state')
  const { accessKeyId, secretAccessKey } = aws.credentials
  const variables = {
    app: { TOKENS: JSON.stringify(TOKENS) },
    vault: {
      EDGE_KMS_AWS_KEY_ID: aws.createKey().arn,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    },
  }
  /** @param {'app' | 'vault'} name */
  function workerOf(name) {
    const lines = Object.entries(variables[name]).map(([key, value]) => `${key}=${value}\n`)
    writeFileSync(join(project.folder, name, '.dev.vars'), lines.join(''))
    const contents = readFileSync(join(project.folder, `out-${name}`, 'index.js'), 'utf8')
    return {
      ...optionsOf(name),
      name,
      modules: [{ type: 'ESModule', path: 'index.js', contents }],
      outboundService: (/** @type {Request} */ request) => answerOf(aws, request),
    }
  }

  const stranger = {
    name: 'stranger',
    modules: true,
    compatibilityDate: '2026-07-30',
    script: STRANGER,
    serviceBindings: {
      KMS: { name: 'vault', entrypoint: 'Vault' },
      FILES: { name: 'vault', entrypoint: 'Files' },
    },
  }

  const vault = workerOf('vault')
  const workers = [workerOf('app'), vault, stranger]

  /** Starts cold isolates, runs the work, and stops them. */
  async function session(/** @type {(app: App) => unknown} */ work) {
    const miniflare = new Miniflare({
      cf: false,
      d1Persist: join(state, 'd1'),
      r2Persist: join(state, 'r2'),
      workers: /** @type {any} */ (workers),
    })
    try {
      await work(await appOf(miniflare))
    } finally {
      await miniflare.dispose()
    }
  }

  const migration = readFileSync(join(project.folder, 'app/migrations/0001_customers.sql'), 'utf8')
  return { aws, session, migration, vault }
}

/**
 * Returns the parts of the running Workers that a check uses.
 *
 * @typedef {Awaited<ReturnType<typeof appOf>>} App
 * @param {Miniflare} miniflare
 */
async function appOf(miniflare) {
  const url = await miniflare.ready
  return {
    url,
    database: await miniflare.getD1Database('DB', 'app'),
    /** @type {any} */
    bucket: await miniflare.getR2Bucket('FILES', 'vault'),
    /** Asks a Worker without the app. @param {string} name  @param {string} to */
    ask: async (name, to) => /** @type {any} */ (await miniflare.getWorker(name)).fetch(to),
    /**
     * Asks the app as a tenant.
     *
     * @param {keyof typeof TOKENS} tenant
     * @param {string} path
     * @param {{ method?: string, body?: BodyInit, headers?: Record<string, string>, duplex?: 'half' }} [init]
     */
    fetch: (tenant, path, init = {}) => {
      const authorization = `Bearer ${TOKENS[tenant]}`
      const headers = { 'accept-encoding': 'identity', ...init.headers, authorization }
      return fetch(new URL(path, url), { ...init, headers })
    },
  }
}

/** The fake of AWS as the outside world of a Worker. */
async function answerOf(aws, request) {
  const { url, method } = request
  const headers = new Headers([...request.headers])
  const answer = await aws.fetch(new Request(url, { method, headers, body: await request.text() }))
  return new Response(await answer.arrayBuffer(), {
    status: answer.status,
    headers: answer.headers,
  })
}
