/** Whether what an event is for still exists: a crashed isolate hears nothing any more. */
export interface Scope {
  readonly alive: boolean
}

interface Event {
  readonly atMs: number
  readonly order: number
  readonly scope: Scope
  readonly run: () => unknown
  cancelled: boolean
}

/** No world lives long enough for more events than this; one that does spins. */
const MOST_EVENTS = 400_000

/**
 * Virtual time. Events run one at a time, by time and then by the order in which they were asked
 * for; the next one begins when nothing is left to do for this one. Work that really takes time, WebCrypto
 * on its threads, is an event too: see {@link gateSubtle}. So the order of real completions never shows.
 */
export class Scheduler {
  nowMs: number
  #heap: Event[] = []
  #order = 0
  #ran = 0

  constructor(startMs: number) {
    this.nowMs = startMs
  }

  /** Runs once after `delayMs`, unless the scope is gone by then or the answer is called before. */
  after(delayMs: number, scope: Scope, run: () => unknown): () => void {
    const event: Event = {
      atMs: this.nowMs + Math.max(0, delayMs),
      order: this.#order++,
      scope,
      run,
      cancelled: false,
    }
    this.#push(event)
    return () => {
      event.cancelled = true
    }
  }

  /** Runs until nothing is left to happen. */
  async drain(): Promise<void> {
    await quiescence()
    for (let event = this.#pop(); event !== undefined; event = this.#pop()) {
      if (event.cancelled || !event.scope.alive) continue
      if (++this.#ran > MOST_EVENTS) throw new Error('the world spins')
      this.nowMs = event.atMs
      await event.run()
      await quiescence()
    }
  }

  #push(event: Event): void {
    const heap = this.#heap
    let i = heap.push(event) - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (before(heap[parent] as Event, event)) break
      heap[i] = heap[parent] as Event
      i = parent
    }
    heap[i] = event
  }

  #pop(): Event | undefined {
    const heap = this.#heap
    const [first] = heap
    const last = heap.pop()
    if (first === undefined || last === undefined || first === last) return first
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= heap.length) break
      const right = heap[child + 1]
      if (right !== undefined && before(right, heap[child] as Event)) child += 1
      if (before(last, heap[child] as Event)) break
      heap[i] = heap[child] as Event
      i = child
    }
    heap[i] = last
    return first
  }
}

function before(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}

/** Every promise that can settle has settled: microtasks and ticks are done before an immediate runs. */
function quiescence(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
