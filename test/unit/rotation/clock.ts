import type { Network } from '../../../src/ports/index.ts'

export const START_MS = 1_700_000_000_000
/** Bounds of calls, which never pass here: everything answers. */
const NEVER_MS = 900_000
/** Turns of the event loop without work after which nothing but timers is left. */
const QUIET_TURNS = 6

/** Calls of WebCrypto that have not ended. */
let inFlight = 0

const METHODS = [
  'encrypt',
  'decrypt',
  'deriveBits',
  'deriveKey',
  'importKey',
  'sign',
  'digest',
] as const

/** Puts a counter before the real WebCrypto. */
function countSubtle(): void {
  const real = crypto.subtle
  const counted = Object.create(real) as Record<string, unknown>
  for (const method of [...METHODS, 'verify', 'generateKey', 'exportKey'] as const) {
    const call = real[method] as (...args: unknown[]) => Promise<unknown>
    counted[method] = (...args: unknown[]) => {
      inFlight += 1
      const ended = (): void => void (inFlight -= 1)
      const result = call.apply(real, args)
      result.then(ended, ended)
      return result
    }
  }
  Object.defineProperty(crypto, 'subtle', { configurable: true, get: () => counted })
}

countSubtle()

/** A clock that its own timers move: a wait costs no time, and real work costs no time on this clock. */
export class Clock {
  nowMs = START_MS
  readonly runtime = {
    now: (): number => this.nowMs,
    randomFill: (bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> =>
      crypto.getRandomValues(bytes),
  }
  readonly network: Network = {
    fetch: () => Promise.reject(new Error('no network')),
    after: (delayMs, callback) => this.#after(delayMs, callback),
    jitter: () => 0.5,
  }
  readonly #timers = new Set<{ atMs: number; callback: () => void }>()
  #isTurning = false

  /** Options of a step. */
  get ports() {
    const bounds = { callTimeoutMs: NEVER_MS, sourceTimeoutMs: NEVER_MS, objectTimeoutMs: NEVER_MS }
    return { runtime: this.runtime, network: this.network, ...bounds }
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.#after(delayMs, resolve))
  }

  #after(delayMs: number, callback: () => void): () => void {
    if (delayMs >= NEVER_MS) return () => undefined
    const timer = { atMs: this.nowMs + delayMs, callback }
    this.#timers.add(timer)
    if (!this.#isTurning) this.#turn(QUIET_TURNS)
    return () => this.#timers.delete(timer)
  }

  /** Moves on to the next timers once nothing else is left to do. */
  #turn(turns: number): void {
    this.#isTurning = true
    setImmediate(() => {
      if (inFlight > 0) this.#turn(QUIET_TURNS)
      else if (turns > 0) this.#turn(turns - 1)
      else this.#fire()
    })
  }

  #fire(): void {
    this.#isTurning = false
    if (this.#timers.size === 0) return
    this.nowMs = Math.max(this.nowMs, Math.min(...[...this.#timers].map(({ atMs }) => atMs)))
    for (const timer of this.#timers) {
      if (timer.atMs > this.nowMs) continue
      this.#timers.delete(timer)
      timer.callback()
    }
    this.#turn(QUIET_TURNS)
  }
}
