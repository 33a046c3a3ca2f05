/** The part of `Deno` that the examples use, for a compiler and a linter that do not know it. */
declare namespace Deno {
  interface ServeOptions {
    readonly hostname?: string
    readonly port?: number
  }
  const env: { get(name: string): string | undefined }
  function serve(
    options: ServeOptions,
    handler: (request: Request) => Response | Promise<Response>,
  ): unknown
}
