import { AsyncLocalStorage } from 'node:async_hooks'
import type { Scope } from './scheduler.ts'

/** The scope of the world itself and of servers, which never end. */
export const EVERYWHERE: Scope = { alive: true }

/** The subject of a request: the judge of its calls reads it. */
export interface Task {
  readonly kind: string
  readonly tenant: string
  /** Its key must be in the data-key store. */
  readonly durable: boolean
  /** It gives what is wrong on purpose. */
  readonly hostile: boolean
}

/**
 * One request to an isolate. On Workers, I/O belongs to the request that began it: when that has
 * answered or is cancelled, what it still waits for never comes, for nobody.
 */
export class RequestScope implements Scope {
  readonly isolate: Scope
  readonly task: Task
  readonly #dropsIo: boolean
  #answered = false
  #deferred = 0

  constructor(isolate: Scope, task: Task, dropsIo: boolean) {
    this.isolate = isolate
    this.task = task
    this.#dropsIo = dropsIo
  }

  get alive(): boolean {
    if (!this.isolate.alive) return false
    return !this.#dropsIo || !this.#answered || this.#deferred > 0
  }

  /** `ctx.waitUntil`. */
  readonly defer = (work: Promise<unknown>): void => {
    this.#deferred += 1
    const done = (): void => {
      this.#deferred -= 1
    }
    work.then(done, done)
  }

  /** The request has answered, or its client is gone. */
  end(): void {
    this.#answered = true
  }
}

const current = new AsyncLocalStorage<RequestScope | undefined>()

/** The request that the running code works for. */
export function currentScope(): RequestScope | undefined {
  return current.getStore()
}

/** Runs code for a request; what it awaits goes on for the same request. */
export function runIn<T>(scope: RequestScope | undefined, work: () => T): T {
  return current.run(scope, work)
}
