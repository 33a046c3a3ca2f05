import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import {
  createNodeNetwork,
  type NodeNetwork,
  type NodeNetworkOptions,
} from '../../../adapters/node/index.ts'

/** A server on loopback that is gone after the test. */
export interface TestServer {
  readonly url: string
  /** Every connection that was ever made. */
  readonly sockets: readonly Socket[]
}

export async function serve(
  listener: RequestListener,
  tls?: { readonly key: string; readonly cert: string },
): Promise<TestServer> {
  const server: Server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener)
  const sockets: Socket[] = []
  server.on('connection', (socket: Socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  const { port } = server.address() as AddressInfo
  return { url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}/`, sockets }
}

/** A network whose connections are closed after the test. */
export function newNetwork(options?: NodeNetworkOptions): NodeNetwork {
  const network = createNodeNetwork(options)
  onTestFinished(() => {
    network.close()
  })
  return network
}

/** Until the connection is closed at the server's end, by whatever. */
export async function closed(socket: Socket | undefined): Promise<void> {
  if (socket === undefined) throw new Error('no connection was made')
  if (socket.destroyed) return
  await new Promise((resolve) => socket.once('close', resolve))
}
