import { serve } from '@hono/node-server'

type Fetch = (request: Request) => Response | Promise<Response>

interface BunServer {
  readonly url: URL
  stop(): Promise<void>
}

/** The part of Bun that is used here; on Node there is none. */
declare const Bun:
  { serve(options: { fetch: Fetch; hostname: string; port: number }): BunServer } | undefined

/** A server that takes requests. */
export interface Listening {
  readonly url: string
  /** Takes no more connections, and resolves when the requests that run are answered. */
  close(): Promise<void>
}

/** Serves on Node by hono's server, and on Bun by `Bun.serve`. */
export async function listen(fetch: Fetch, hostname: string, port: number): Promise<Listening> {
  if (typeof Bun !== 'undefined') {
    const server = Bun.serve({ fetch, hostname, port })
    return { url: server.url.origin, close: () => server.stop() }
  }
  return new Promise((resolve, reject) => {
    const server = serve({ fetch, hostname, port }, (info) => {
      resolve({
        url: `http://${hostname}:${String(info.port)}`,
        close: () =>
          new Promise((closed) => {
            server.close(() => {
              closed()
            })
          }),
      })
    })
    server.once('error', reject)
  })
}
