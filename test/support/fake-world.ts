import type { Bytes, KmsEvent, Network, Observer, Runtime } from '../../src/index.ts'

interface Timer {
  readonly atMs: number
  readonly callback: () => void
}

let working = 0
for (const name of [
  'decrypt',
  'deriveBits',
  'digest',
  'encrypt',
  'importKey',
  'sign',
  'verify',
] as const) {
  const real = crypto.subtle[name] as (...args: unknown[]) => Promise<unknown>
  const value = (...args: unknown[]): Promise<unknown> => {
    working += 1
    return real.apply(crypto.subtle, args).finally(() => (working -= 1))
  }
  Object.defineProperty(crypto.subtle, name, { value, configurable: true, writable: true })
}

/** Lets everything run that waits only for its turn, and for the threads of WebCrypto. */
export async function turn(): Promise<void> {
  do await new Promise((resolve) => setImmediate(resolve))
  while (working > 0)
}

/** A clock with timers that move only when a test says so, and ears for what the layers tell. */
export class FakeWorld implements Runtime, Network, Observer {
  nowMs = 1_767_225_600_000
  /** The next value of `jitter`. */
  random = 0
  readonly events: KmsEvent[] = []
  readonly #timers = new Set<Timer>()
  #drawn = 0

  /** The options of a decorator. */
  get ports(): { runtime: Runtime; network: Network; observer: Observer } {
    return { runtime: this, network: this, observer: this }
  }

  get timers(): number {
    return this.#timers.size
  }

  now(): number {
    return this.nowMs
  }

  randomFill(bytes: Bytes): Bytes {
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(0, ++this.#drawn)
    return bytes
  }

  jitter(): number {
    return this.random
  }

  fetch(): Promise<Response> {
    return Promise.reject(new Error('this world has no network'))
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.nowMs + delayMs, callback }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  observe(event: KmsEvent): void {
    this.events.push(event)
  }

  /** Moves time, timer by timer, and lets what each wakes run. */
  async advance(ms: number): Promise<void> {
    const endMs = this.nowMs + ms
    await turn()
    for (;;) {
      const due = [...this.#timers].filter(({ atMs }) => atMs <= endMs)
      const next = due.sort((a, b) => a.atMs - b.atMs)[0]
      if (next === undefined) break
      this.#timers.delete(next)
      this.nowMs = Math.max(this.nowMs, next.atMs)
      next.callback()
      await turn()
    }
    this.nowMs = endMs
    await turn()
  }

  /** Runs the clock until the work ends, and says what came of it. */
  async settled<T>(work: Promise<T>, limitMs = 600_000): Promise<PromiseSettledResult<T>> {
    const state: { result?: PromiseSettledResult<T> } = {}
    void Promise.allSettled([work]).then(([result]) => (state.result = result))
    await turn()
    const endMs = this.nowMs + limitMs
    while (state.result === undefined) {
      const next = Math.min(...[...this.#timers].map(({ atMs }) => atMs))
      if (next > endMs) throw new Error('it hangs')
      await this.advance(Math.max(0, next - this.nowMs))
    }
    return state.result
  }
}
