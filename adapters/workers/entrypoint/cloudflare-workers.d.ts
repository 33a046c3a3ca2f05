/** The members that we use of the module that only workerd has. */
declare module 'cloudflare:workers' {
  /** workerd knows an entrypoint by this base class. */
  export const WorkerEntrypoint: new (ctx: unknown, env: unknown) => object
  /** Keeps work alive after the answer of the request that runs now. */
  export function waitUntil(work: Promise<unknown>): void
}
