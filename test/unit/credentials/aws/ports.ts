import { isKmsError } from '../../../../src/errors.ts'
import type { Network, Runtime } from '../../../../src/ports/index.ts'

export const START_MS = 1_767_225_600_000

/** A request as it left. */
export interface Sent {
  readonly url: string
  readonly method: string
  readonly headers: Headers
  readonly body: string
}

/** Answers a request; the number counts from 0. */
export type Answer = (request: Sent, number: number) => Response | Promise<Response>

/** Clock, timers and network in the hands of a test. */
export interface TestPorts {
  readonly runtime: Runtime
  readonly network: Network
  readonly sent: Sent[]
  /** Fires what is due on the way. */
  advance(ms: number): void
  /** Timers that wait. */
  readonly waiting: number
  jitter: number
}

export function testPorts(
  answer: Answer = () => Promise.reject(new TypeError('no network')),
): TestPorts {
  let nowMs = START_MS
  let timers: { readonly atMs: number; readonly callback: () => void }[] = []
  const sent: Sent[] = []
  const ports: TestPorts = {
    sent,
    jitter: 0,
    runtime: { now: () => nowMs, randomFill: (bytes) => crypto.getRandomValues(bytes) },
    network: {
      async fetch(url, init) {
        const request = new Request(url, init)
        const { method, headers } = request
        const one = { url, method, headers, body: await request.text() }
        return answer(one, sent.push(one) - 1)
      },
      after(delayMs, callback) {
        const timer = { atMs: nowMs + delayMs, callback }
        timers.push(timer)
        return () => {
          timers = timers.filter((other) => other !== timer)
        }
      },
      jitter: () => ports.jitter,
    },
    advance(ms) {
      nowMs += ms
      const due = timers.filter(({ atMs }) => atMs <= nowMs)
      timers = timers.filter(({ atMs }) => atMs > nowMs)
      for (const { callback } of due) callback()
    },
    get waiting() {
      return timers.length
    },
  }
  return ports
}

/** The code of what is thrown, or what it is instead. */
export async function codeOf(work: Promise<unknown> | (() => unknown)): Promise<unknown> {
  try {
    await (typeof work === 'function' ? work() : work)
    return 'no error'
  } catch (error) {
    return isKmsError(error) ? error.code : error
  }
}

/** A promise that the test settles. */
export function deferred<T>(): {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
  readonly reject: (error: unknown) => void
} {
  let resolve!: (value: T) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}

/** Lets pauses and retries pass: seven seconds, in steps of half a second. */
export async function drain(ports: TestPorts): Promise<void> {
  for (let step = 0; step < 14; step++) {
    await turn()
    ports.advance(500)
  }
  await turn()
}

/** Returns the result of the work, while pauses and retries pass. */
export async function whilePausesPass<T>(ports: TestPorts, work: Promise<T>): Promise<T> {
  let isOver = false
  const over = (): void => {
    isOver = true
  }
  work.then(over, over)
  for (let step = 0; step < 100 && !isOver; step++) {
    await turn()
    if (!isOver && ports.waiting > 0) ports.advance(100)
  }
  return work
}

/** Until everything that only waits for promises has run. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve))
}
