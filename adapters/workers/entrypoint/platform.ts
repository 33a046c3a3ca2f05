// eslint-disable-next-line @typescript-eslint/triple-slash-reference -- an ambient module has nothing to import
/// <reference path="./cloudflare-workers.d.ts" />
import { waitUntil, WorkerEntrypoint } from 'cloudflare:workers'

/** The members of an `ExecutionContext` that the entrypoint uses. */
export interface EntrypointContext {
  /** The `props` in the configuration of the binding; workerd gives `{}` if there are none. */
  readonly props?: unknown
}

/** workerd's `WorkerEntrypoint`, in types that need no others. */
// eslint-disable-next-line @typescript-eslint/no-unused-vars -- the type of the value below
declare class Entrypoint<Env> {
  /** Only a type: the mark by which a `Service` binding knows a class. */
  readonly __WORKER_ENTRYPOINT_BRAND: never
  // eslint-disable-next-line no-restricted-syntax -- the platform's own field
  protected readonly ctx: EntrypointContext
  // eslint-disable-next-line no-restricted-syntax -- the platform's own field
  protected readonly env: Env
  constructor(ctx: EntrypointContext, env: Env)
}

/** The class that workerd knows an entrypoint by. */
export const EntrypointBase: typeof Entrypoint = WorkerEntrypoint as unknown as typeof Entrypoint

/** Keeps work alive after the answer of the request that runs now. */
export function keepAlive(work: Promise<unknown>): void {
  waitUntil(work)
}
