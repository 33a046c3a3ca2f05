import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  admit,
  type Admission,
  type CircuitOutcome,
  type CircuitRecord,
  closedCircuit,
  settle,
} from '../../src/resilience/circuit-state.ts'
import type { CircuitRules } from '../../src/resilience/circuit-window.ts'

/**
 * The breaker said again, as simply as it can be said: it keeps every call for ever and looks at all
 * of them each time. No epochs, no buckets that are dropped, no counters.
 */
class Reference {
  readonly #rules: CircuitRules
  phase: 'closed' | 'open' | 'half-open' = 'closed'
  #results: { atMs: number; failed: boolean }[] = []
  #openUntilMs = 0
  /** Calls that count, by the period in which they began. A new period forgets the old one's. */
  #period = new Set<object>()
  #probes: { call: object; state: 'out' | 'passed' | 'back' }[] = []
  #lapseMs = 0

  constructor(rules: CircuitRules) {
    this.#rules = rules
  }

  begin(call: object, nowMs: number): Admission {
    const { resetTimeoutMs, successThreshold } = this.#rules
    if (this.phase === 'open') {
      this.#openUntilMs = Math.min(this.#openUntilMs, nowMs + resetTimeoutMs * 1.1)
      if (nowMs < this.#openUntilMs) return 'refuse'
      this.#enter('half-open')
    }
    if (this.phase === 'closed') {
      this.#period.add(call)
      return 'pass'
    }
    this.#lapseMs = Math.min(this.#lapseMs, nowMs + resetTimeoutMs * 1.1)
    const out = () => this.#probes.filter(({ state }) => state === 'out').length
    if (out() > 0 && nowMs >= this.#lapseMs) this.#enter('half-open')
    const passed = this.#probes.filter(({ state }) => state === 'passed').length
    if (out() + passed >= successThreshold) return 'refuse'
    if (out() === 0) this.#lapseMs = nowMs + resetTimeoutMs
    this.#probes.push({ call, state: 'out' })
    this.#period.add(call)
    return 'probe'
  }

  end(call: object, outcome: CircuitOutcome, nowMs: number): void {
    if (!this.#period.has(call)) return
    this.#period.delete(call)
    const probe = this.#probes.find((one) => one.call === call)
    if (probe !== undefined) {
      probe.state = outcome === 'success' ? 'passed' : 'back'
      if (outcome === 'failure') this.#open(nowMs)
      else if (
        this.#probes.filter(({ state }) => state === 'passed').length >=
        this.#rules.successThreshold
      )
        this.#enter('closed')
      return
    }
    if (outcome === 'neutral') return
    this.#results.push({ atMs: nowMs, failed: outcome === 'failure' })
    if (outcome === 'failure' && this.#isBad(nowMs)) this.#open(nowMs)
  }

  #isBad(nowMs: number): boolean {
    const { failureThreshold, failureRate, windowMs, minCalls } = this.#rules
    const row = this.#results.slice(-failureThreshold)
    if (row.length === failureThreshold && row.every(({ failed }) => failed)) return true
    const tenth = (ms: number) => Math.floor((ms * 10) / windowMs)
    const recent = this.#results.filter(({ atMs }) => tenth(atMs) > tenth(nowMs) - 10)
    const failures = recent.filter(({ failed }) => failed).length
    return recent.length >= minCalls && failures / recent.length >= failureRate
  }

  #open(nowMs: number): void {
    this.#enter('open')
    this.#openUntilMs = nowMs + this.#rules.resetTimeoutMs
  }

  #enter(phase: 'closed' | 'open' | 'half-open'): void {
    this.phase = phase
    this.#results = []
    this.#period.clear()
    this.#probes = []
    this.#lapseMs = Infinity
  }
}

type Step =
  | { readonly do: 'begin' }
  | { readonly do: 'end'; readonly which: number; readonly outcome: CircuitOutcome }
  | { readonly do: 'wait'; readonly ms: number }

const rulesOf = fc.record({
  failureThreshold: fc.integer({ min: 1, max: 6 }),
  failureRate: fc.constantFrom(0.25, 0.5, 1),
  windowMs: fc.constantFrom(1_000, 30_000),
  minCalls: fc.integer({ min: 1, max: 12 }),
  resetTimeoutMs: fc.constantFrom(100, 5_000, 30_000),
  successThreshold: fc.integer({ min: 1, max: 3 }),
})
const outcomeOf = fc.constantFrom<CircuitOutcome[]>('success', 'failure', 'failure', 'neutral')
const stepOf: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.constant<Step>({ do: 'begin' }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('end' as const),
      which: fc.nat(50),
      outcome: outcomeOf,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.constantFrom(1, 50, 100, 999, 5_000, 29_999, 30_000, 33_000, 400_000),
    }),
  },
)

/** Plays the steps on both, and says where they part. */
function play(rules: CircuitRules, steps: readonly Step[], start = 1_767_225_600_123): void {
  const reference = new Reference(rules)
  let state: CircuitRecord = closedCircuit()
  let nowMs = start
  const out: { call: object; epoch: number }[] = []
  for (const step of steps) {
    if (step.do === 'wait') {
      nowMs += step.ms
    } else if (step.do === 'begin') {
      const call = {}
      const answer = admit(state, rules, nowMs)
      // Through JSON, as if it had left the process.
      state = JSON.parse(JSON.stringify(answer.state)) as CircuitRecord
      expect(answer.admission).toBe(reference.begin(call, nowMs))
      if (answer.admission !== 'refuse') out.push({ call, epoch: state.epoch })
    } else if (out.length > 0) {
      const [{ call, epoch }] = out.splice(step.which % out.length, 1) as [(typeof out)[number]]
      reference.end(call, step.outcome, nowMs)
      state = settle(state, rules, { epoch, outcome: step.outcome }, nowMs, 0)
    }
    expect(state.phase).toBe(reference.phase)
  }
}

it('R23 the breaker does as the reference does, whatever happens in whatever order', () => {
  fc.assert(
    fc.property(rulesOf, fc.array(stepOf, { maxLength: 120 }), (rules, steps) => {
      play(rules, steps)
    }),
    { numRuns: 3_000 },
  )
})

it('R23 no time, however it jumps, keeps it open for longer than its rule says', () => {
  const jump = fc.integer({ min: -10_000_000, max: 10_000_000 })
  fc.assert(
    fc.property(rulesOf, fc.array(jump, { maxLength: 20 }), (rules, jumps) => {
      let nowMs = 1_767_225_600_000
      let state = closedCircuit()
      for (let i = 0; i < rules.failureThreshold; i++)
        state = settle(state, rules, { epoch: 0, outcome: 'failure' }, nowMs, 0.999)
      expect(state.phase).toBe('open')
      for (const ms of jumps) {
        nowMs += ms
        state = admit({ ...state, probing: 0 }, rules, nowMs).state
      }
      nowMs += Math.ceil(rules.resetTimeoutMs * 1.1)
      expect(admit({ ...state, probing: 0 }, rules, nowMs).admission).toBe('probe')
    }),
  )
})

it('stays small: a window is ten numbers, however many calls it saw', () => {
  const rules = {
    failureThreshold: 1_000,
    failureRate: 1,
    windowMs: 30_000,
    minCalls: 10_000,
    resetTimeoutMs: 1_000,
    successThreshold: 1,
  }
  let state = closedCircuit()
  for (let i = 0; i < 10_000; i++)
    state = settle(state, rules, { epoch: 0, outcome: 'success' }, 1_767_225_600_000 + i * 97, 0)
  expect(state.buckets.length).toBeLessThanOrEqual(10)
})
