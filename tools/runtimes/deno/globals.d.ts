/** The part of `Deno` that examples/deno uses, for a compiler and a linter that do not know it. */
declare namespace Deno {
  interface ServeOptions {
    readonly hostname?: string
    readonly port?: number
  }
  function serve(
    options: ServeOptions,
    handler: (request: Request) => Response | Promise<Response>,
  ): unknown
}
