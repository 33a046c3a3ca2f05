import fc from 'fast-check'
import { expect, it } from 'vitest'
import { EncryptedEnvelope, EnvelopeCipher, KmsError } from '../../src/index.ts'
import { createRotationStep } from '../../src/rotation/rotation-step.ts'
import type { RotationState } from '../../src/rotation/rotation-state.ts'
import { Clock } from '../unit/rotation/clock.ts'
import {
  cipherAt,
  kmsAt,
  MemorySource,
  newState,
  runAll,
  StagedKms,
  utf8,
} from '../unit/rotation/fixture.ts'

const context = { tenant: 'acme' }
const ROWS = 12

/** One thing that happens to a job. */
const move = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('step' as const),
      records: fc.integer({ min: 1, max: 9 }),
    }),
  },
  // An engine delivers a page twice, or late: any state from before.
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('old' as const), back: fc.nat(20) }) },
  // Two rotators at the same moment.
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('both' as const), back: fc.nat(5) }) },
  // A writer whose cached data key is under the old version.
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('write' as const), row: fc.nat(ROWS) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), row: fc.nat(ROWS) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('down' as const), calls: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('lost-answer' as const) }) },
)

type Move = typeof move extends fc.Arbitrary<infer M> ? M : never

const idOf = (row: number): string => `r${String(row).padStart(2, '0')}`

/** A table with a job on it, and what each row must decrypt to. */
class World {
  readonly source = new MemorySource()
  readonly expected = new Map<string, string>()
  readonly states: RotationState[] = [newState(this.source)]
  readonly #writer = cipherAt(1)
  readonly #alone = cipherAt(1, { cache: false })
  readonly #kms = new StagedKms(kmsAt(2))
  readonly #step = createRotationStep({
    kms: this.#kms,
    sources: [this.source],
    pageSize: 4,
    ...new Clock().ports,
  })
  #down = 0
  #losesAnswer = false
  #writes = 0

  constructor() {
    this.#kms.stage = (operation) => {
      if (operation === 'currentVersion' || this.#down === 0) return
      this.#down -= 1
      throw new KmsError('ERR_KMS_UNAVAILABLE')
    }
    this.source.afterSwap = () => {
      const loses = this.#losesAnswer
      this.#losesAnswer = false
      if (loses) throw new Error('connection reset')
    }
  }

  async write(row: number): Promise<void> {
    const text = `${idOf(row)} ${String((this.#writes += 1))}`
    const cipher = this.#writes % 2 === 0 ? this.#writer : this.#alone
    this.source.set(idOf(row), { secret: await cipher.encrypt(utf8(text), { context }) })
    this.expected.set(idOf(row), text)
  }

  async make(one: Move): Promise<void> {
    const latest = this.states.at(-1) as RotationState
    if (one.kind === 'step') await this.#advance(latest, one.records)
    if (one.kind === 'old') await this.#step(this.#state(one.back))
    if (one.kind === 'both')
      await Promise.all([this.#advance(latest, 5), this.#step(this.#state(one.back))])
    if (one.kind === 'write') await this.write(one.row)
    if (one.kind === 'delete') {
      this.source.rows.delete(idOf(one.row))
      this.expected.delete(idOf(one.row))
    }
    if (one.kind === 'down') this.#down = one.calls
    if (one.kind === 'lost-answer') this.#losesAnswer = true
  }

  /** Runs the job to its end, with nothing in its way. */
  async end(): Promise<RotationState> {
    this.#down = 0
    this.#losesAnswer = false
    const { state } = await runAll(this.#step, this.states.at(-1) as RotationState)
    // Writers may have written behind a job that had finished: the next job finds that.
    const { state: next } = await runAll(this.#step, newState(this.source))
    return state.phase === 'finished' ? next : state
  }

  async #advance(from: RotationState, records: number): Promise<void> {
    const { state } = await this.#step(from, { records })
    this.states.push(JSON.parse(JSON.stringify(state)) as RotationState)
  }

  #state(back: number): RotationState {
    return this.states[Math.max(0, this.states.length - 1 - back)] as RotationState
  }
}

it('loses nothing and leaves nothing stale, however steps are repeated, late, doubled or cut short', async () => {
  const reader = new EnvelopeCipher({ kms: kmsAt(2, 'app', 2) })
  await fc.assert(
    fc.asyncProperty(fc.array(move, { maxLength: 25 }), async (moves) => {
      const world = new World()
      for (let row = 0; row < ROWS; row += 1) await world.write(row)
      for (const one of moves) await world.make(one)
      const { phase, counts } = await world.end()
      expect(phase).toBe('finished')
      expect(counts).toMatchObject({ corrupt: 0, denied: 0, 'unknown-key': 0 })
      expect([...world.source.rows.keys()].sort()).toEqual([...world.expected.keys()].sort())
      for (const [id, text] of world.expected) {
        const value = world.source.value(id) as Uint8Array
        expect(EncryptedEnvelope.parse(value).wraps.map((wrap) => wrap.kekVersion)).toEqual(['2'])
        const back = await reader.decrypt(value, { context })
        expect(new TextDecoder().decode(back)).toBe(text)
      }
    }),
    { numRuns: 60 },
  )
})

it('adds up: every value of a table that nobody else touches is in exactly one class', async () => {
  const good = await cipherAt(1, { cache: false }).encrypt(utf8('x'), { context })
  const current = await cipherAt(2, { cache: false }).encrypt(utf8('x'), { context })
  const values = {
    stale: good,
    current,
    text: new TextDecoder().decode(utf8('plain')),
    none: null,
    cut: good.subarray(0, 50),
    bytes: new Uint8Array([1, 2, 3]),
  } as const
  const names = fc.constantFrom(...(Object.keys(values) as (keyof typeof values)[]))
  await fc.assert(
    fc.asyncProperty(
      fc.array(names, { maxLength: 30 }),
      fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 5 }),
      async (rows, budgets) => {
        const source = new MemorySource()
        rows.forEach((name, i) => source.set(idOf(i), { secret: values[name] }))
        const step = createRotationStep({
          kms: kmsAt(2),
          sources: [source],
          pageSize: 5,
          threshold: { share: 1 },
          ...new Clock().ports,
        })
        let state: RotationState = newState(source)
        for (let i = 0; state.phase === 'running'; i += 1)
          state = (await step(state, { records: budgets[i % budgets.length] ?? 1 })).state
        const count = (...wanted: string[]) => rows.filter((name) => wanted.includes(name)).length
        expect(state.counts).toMatchObject({
          records: rows.length,
          done: count('stale'),
          current: count('current'),
          foreign: count('text', 'bytes'),
          empty: count('none'),
          corrupt: count('cut'),
          outage: 0,
          'lost-race': 0,
        })
      },
    ),
    { numRuns: 100 },
  )
})
