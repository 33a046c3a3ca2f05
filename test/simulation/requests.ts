import type { CallOptions, Done, Operation } from './operations.ts'
import { EVERYWHERE, RequestScope, runIn } from './scope.ts'
import type { Since } from './judge.ts'
import type { Life, World } from './world.ts'

/** Acts of a client besides waiting, in milliseconds after its request. */
export interface Client {
  /** It aborts the call. */
  readonly abortAfterMs?: number
  /** It goes away: on Workers all I/O of the request ends with it. */
  readonly leaveAfterMs?: number
  /** The handler gives `waitUntil` to the call. */
  readonly defers: boolean
}

/** A caller that aborts must be released within this time: WebCrypto cannot be aborted, all else can. */
const LET_GO_MS = 50

/** One request: runs an operation in an isolate and brings what came of it before the judge. */
export class Request {
  readonly #world: World
  readonly #life: Life
  readonly #operation: Operation
  readonly #name: string
  readonly #controller = new AbortController()
  #settled = false

  constructor(world: World, life: Life, operation: Operation, name: string) {
    this.#world = world
    this.#life = life
    this.#operation = operation
    this.#name = name
  }

  /** Whether somebody still waits for it. */
  get hangs(): boolean {
    return !this.#settled && this.#life.isolate.alive
  }

  toString(): string {
    return `${this.#name} ${this.#operation.kind}`
  }

  start(client: Client): void {
    const { judge, scheduler, plan } = this.#world
    const { isolate, clearedAtMs } = this.#life
    isolate.hear()
    const scope = new RequestScope(isolate, this.#operation, plan.platform === 'workers')
    const since = {
      atMs: scheduler.nowMs,
      clockMs: isolate.nowMs,
      clearedAtMs,
      clears: judge.clearsOf(isolate),
    }
    const ends = judge.bounds.begins(isolate, scope, this.#operation.messages)
    const options: CallOptions = {
      signal: this.#controller.signal,
      defer: client.defers ? scope.defer : undefined,
    }
    this.#log(`${this.#operation.kind} ${this.#operation.tenant}`)
    const settle = (succeeded: boolean, told: () => void): void => {
      scope.end()
      ends(succeeded)
      if (this.#settled || !isolate.alive) return
      this.#settled = true
      told()
    }
    runIn(scope, () => this.#operation.run(this.#life, options)).then(
      (done) => {
        settle(true, () => {
          this.#succeeded(done, since)
        })
      },
      (error: unknown) => {
        settle(false, () => {
          this.#failed(error, since)
        })
      },
    )
    if (client.abortAfterMs !== undefined) {
      scheduler.after(client.abortAfterMs, isolate, () => {
        this.#abort()
      })
    }
    if (client.leaveAfterMs !== undefined) {
      scheduler.after(client.leaveAfterMs, isolate, () => {
        if (this.#settled) return
        this.#settled = true
        scope.end()
        judge.bounds.forget(isolate)
        this.#log('leaves')
      })
    }
  }

  #abort(): void {
    if (this.#settled) return
    const { judge, scheduler } = this.#world
    this.#log('aborts')
    judge.bounds.forget(this.#life.isolate)
    this.#controller.abort(new Error('the client gave up'))
    scheduler.after(LET_GO_MS, EVERYWHERE, () => {
      if (this.hangs) judge.blame('abort', `${this.toString()} goes on after its abort`)
    })
  }

  #succeeded({ wrote, rewrapped, opened, errors, foreign }: Done, since: Since): void {
    const { judge } = this.#world
    const { isolate } = this.#life
    const { hostile } = this.#operation
    if (foreign === true) judge.blame('foreign', `${this.toString()} opened`)
    for (const written of wrote) judge.wrote(isolate, written, since)
    for (const written of rewrapped) judge.written.push(written)
    for (const { plaintext, from } of opened) {
      judge.opened(isolate, plaintext, from, since, hostile)
    }
    for (const error of errors) this.#failed(error, since)
    const sizes = [wrote, rewrapped, opened, errors].map((list) => list.length)
    const last = wrote.at(-1)?.envelope
    const tail = last === undefined ? '' : Buffer.from(last.slice(-16)).toString('hex')
    this.#log(`done ${sizes.join(' ')} ${tail}`)
  }

  #failed(error: unknown, since: Since): void {
    const { judge } = this.#world
    const { isolate } = this.#life
    judge.bounds.forget(isolate)
    judge.failed(isolate, error, this.#operation, since, this.#controller.signal.reason)
    this.#log(`fails ${(error as { code?: string }).code ?? String(error)}`)
  }

  #log(what: string): void {
    this.#world.log(this.#life.isolate.name, `${this.#name} ${what}`)
  }
}
