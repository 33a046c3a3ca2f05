// The Worker of wrangler.toml with its Durable Object, as it is delivered: isolates share circuits and data keys.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Miniflare, Response } from 'miniflare'
import { afterEach, expect, it } from 'vitest'
import { createFakeAws } from '../../adapters/fakes/index.ts'
import { EncryptedEnvelope } from '../../src/index.ts'
import { workerModule } from './worker-module.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
interface Wrangler {
  readonly main: string
  readonly compatibilityDate: string
  readonly durableObjects: Readonly<
    Record<string, { readonly className: string; readonly useSQLite: true }>
  >
}
const { readWrangler } = (await import(`${root}/tools/start/bundle.mjs`)) as {
  readWrangler(root: string): Wrangler
}
const { main, compatibilityDate, durableObjects } = readWrangler(root)
const ISOLATES = 12
const names = Array.from({ length: ISOLATES }, (_, i) => `isolate-${i}`)

let workers: Miniflare | undefined
afterEach(() => workers?.dispose())

/** As many isolates of the Worker as there are names; they share what its bindings are. */
async function deploy(
  bindings: Readonly<Record<string, string>>,
  outboundService?: (request: Request) => Promise<Response>,
): Promise<Miniflare> {
  const module = await workerModule(`${root}/${main}`)
  workers = new Miniflare({
    workers: names.map((name, i) => ({
      name,
      modules: [module],
      compatibilityDate,
      bindings,
      durableObjects: Object.fromEntries(
        Object.entries(durableObjects).map(([binding, object]) => {
          return [binding, i === 0 ? object : { ...object, scriptName: names[0] ?? '' }]
        }),
      ),
      ...(outboundService && { outboundService: outboundService as never }),
    })),
  })
  await workers.ready
  return workers
}

interface Fetcher {
  fetch(url: string, init?: object): Promise<globalThis.Response>
}

async function encryptAt(mf: Miniflare, name: string): Promise<globalThis.Response> {
  const worker = (await mf.getWorker(name)) as unknown as Fetcher
  return worker.fetch('http://localhost/v1/encrypt', { method: 'POST', body: 'hello' })
}

async function commitmentOf(answer: globalThis.Response): Promise<string> {
  expect(answer.status).toBe(200)
  const { wraps } = EncryptedEnvelope.parse(new Uint8Array(await answer.arrayBuffer()))
  return Buffer.from(wraps[0]?.wrapped ?? []).toString('hex')
}

it('binds the Durable Object that it exports, and names its migration', () => {
  expect(durableObjects).toEqual({
    EDGE_KMS_STORE: { className: 'EdgeKmsStoreObject', useSQLite: true },
  })
  const toml = readFileSync(`${root}/wrangler.toml`, 'utf8')
  expect(toml).toContain('new_sqlite_classes = ["EdgeKmsStoreObject"]')
})

it('isolates of a local key write under one data key', async () => {
  const key = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64')
  const mf = await deploy({ EDGE_KMS_KEY_V1: key })
  const commitments = new Set<string>()
  for (const name of names) commitments.add(await commitmentOf(await encryptAt(mf, name)))
  expect(commitments.size).toBe(1)
}, 60_000)

it('cold isolates of an AWS key make one GenerateDataKey, and share its outage', async () => {
  const aws = createFakeAws()
  const { accessKeyId, secretAccessKey } = aws.credentials
  let down = false
  let calls = 0
  const outbound = async (request: Request): Promise<Response> => {
    calls += 1
    if (down) return new Response('{}', { status: 503 })
    const { url, method } = request
    const headers = new Headers(request.headers)
    const answer = await aws.fetch(
      new globalThis.Request(url, { method, headers, body: await request.text() }),
    )
    return new Response(await answer.arrayBuffer(), {
      status: answer.status,
      headers: [...answer.headers],
    })
  }
  const mf = await deploy(
    {
      EDGE_KMS_AWS_KEY_ID: aws.createKey().arn,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    },
    outbound,
  )
  const answers = await Promise.all(names.map((name) => encryptAt(mf, name)))
  const commitments = await Promise.all(answers.map(commitmentOf))
  expect(new Set(commitments).size).toBe(1)
  expect(aws.count('GenerateDataKey')).toBe(1)

  // Another context: each isolate asks. One call is three attempts, and none alone opens a circuit.
  down = true
  calls = 0
  const other = async (name: string): Promise<number> => {
    const worker = (await mf.getWorker(name)) as unknown as Fetcher
    const headers = { 'edge-kms-context': '{"tenant":"acme"}' }
    const { status } = await worker.fetch('http://localhost/v1/encrypt', {
      method: 'POST',
      body: 'x',
      headers,
    })
    return status
  }
  for (let i = 0; i < 3; i++) {
    for (const name of names) expect(await other(name)).toBeGreaterThanOrEqual(500)
    await new Promise((resolve) => setTimeout(resolve, 1_100))
  }
  calls = 0
  for (const name of names) expect(await other(name)).toBeGreaterThanOrEqual(500)
  expect(calls).toBe(0)
}, 120_000)
