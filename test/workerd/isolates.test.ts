import { Miniflare, Response } from 'miniflare'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { workerModule } from './worker-module.ts'

// Fifty Workers are fifty isolates; a Durable Object is the store in which they share a circuit.

const ISOLATES = 50
const RESET_MS = 2_000
const PERIODS = 3

interface Answer {
  readonly answer: string
  readonly phase: string
  readonly slowLeases: number
  readonly swaps: number
}

/** Of a Worker, what a test uses. */
interface Fetcher {
  fetch(url: string): Promise<{ json(): Promise<unknown> }>
}

let workers: Miniflare
let failing = true
let calls = 0

const names = Array.from({ length: ISOLATES }, (_, i) => `isolate-${i}`)

function kms(): Response {
  calls++
  return new Response('answer', { status: failing ? 503 : 200 })
}

async function ask(name: string, path = ''): Promise<Answer> {
  const worker = (await workers.getWorker(name)) as unknown as Fetcher
  const response = await worker.fetch(`http://localhost/${path}`)
  return (await response.json()) as Answer
}

/** One request to each isolate, one after the other. */
async function round(): Promise<Answer[]> {
  const answers: Answer[] = []
  for (const name of names) answers.push(await ask(name))
  return answers
}

const slowOf = (answers: readonly Answer[]): number =>
  answers.reduce((sum, { slowLeases }) => sum + slowLeases, 0)

beforeAll(async () => {
  const module = await workerModule('./isolates.worker.ts')
  const className = 'EdgeKmsStoreObject'
  const store = { className, useSQLite: true }
  workers = new Miniflare({
    workers: names.map((name, i) => ({
      name,
      modules: [module],
      compatibilityDate: '2026-07-01',
      durableObjects: { STORE: i === 0 ? store : { ...store, scriptName: names[0] ?? '' } },
      outboundService: kms,
    })),
  })
  await workers.ready
}, 120_000)

afterAll(() => workers.dispose())

it('R24 fifty isolates with three failing calls each open one circuit; a KMS that is well costs no write', async () => {
  failing = false
  const all = (): Promise<Answer[]> => Promise.all(names.map((name) => ask(name, 'fleet')))
  await all()
  expect((await all()).reduce((sum, { swaps }) => sum + swaps, 0)).toBe(0)

  failing = true
  calls = 0
  for (let i = 0; i < 3; i++) await all()
  expect(calls).toBeLessThanOrEqual(3 * ISOLATES)
  // Each hears of it at its next call, or of an older word first and then a second later.
  await new Promise((resolve) => setTimeout(resolve, 1_100))
  await all()
  await new Promise((resolve) => setTimeout(resolve, 300))
  const answers = await all()
  expect(new Set(answers.map(({ phase }) => phase))).toEqual(new Set(['open']))
  calls = 0
  await all()
  expect(calls).toBe(0)
}, 60_000)

it('R24 fifty isolates make one probe in each period at most, and hear of its success', async () => {
  let answers = await round()
  // Each hears of the others' open circuit at most a second later.
  for (let i = 0; i < 20 && answers.some(({ phase }) => phase === 'closed'); i++) {
    await new Promise((resolve) => setTimeout(resolve, 300))
    answers = await round()
  }
  expect(new Set(answers.map(({ phase }) => phase))).toEqual(new Set(['open']))
  const slowBefore = slowOf(answers)

  calls = 0
  const started = Date.now()
  while (Date.now() - started < PERIODS * RESET_MS) answers = await round()
  const periods = Math.ceil((Date.now() - started) / RESET_MS)
  // A store that takes too long has no say: then that isolate decides alone.
  const most = periods + (slowOf(answers) - slowBefore)
  console.log(`R24 on workerd: ${calls} probes of ${ISOLATES} isolates in ${periods} periods`)
  expect(calls).toBeGreaterThan(0)
  expect(calls).toBeLessThanOrEqual(most)

  failing = false
  for (let i = 0; i < 40 && answers.some(({ answer }) => answer !== 'ok'); i++) {
    await new Promise((resolve) => setTimeout(resolve, 300))
    answers = await round()
  }
  expect(new Set(answers.map(({ answer }) => answer))).toEqual(new Set(['ok']))
}, 120_000)
