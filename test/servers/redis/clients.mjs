/** Clients of Redis, from the tool folder that pins them, and each as the `command` of a store. */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { ensureFolder } from '../../../tools/lib/folders.mjs'
import { redisOverHttp } from '../../../src/stores/index.ts'

const load = createRequire(join(ensureFolder('clients/redis'), 'package.json'))
const { createClient } = load('redis')
const { Redis: IoRedis } = load('ioredis')
export const { Redis: UpstashRedis } = load('@upstash/redis')

/** The token of the front. */
export const token = 'a-token-of-the-tests'

/**
 * @typedef {object} Client
 * @property {import('../../../src/stores/index.ts').RedisCommand} command
 * @property {() => Promise<void>} close
 */

/** @type {Readonly<Record<string, (place: { port: number, frontUrl: string }) => Promise<Client>>>} */
export const clients = {
  async 'node-redis'({ port }) {
    const client = createClient({ socket: { host: '127.0.0.1', port } })
    client.on('error', () => undefined)
    await client.connect()
    return { command: (args) => client.sendCommand([...args]), close: async () => client.destroy() }
  },
  async ioredis({ port }) {
    const client = new IoRedis({ host: '127.0.0.1', port })
    client.on('error', () => undefined)
    return {
      command: ([name, ...args]) => client.call(name, ...args),
      close: async () => client.disconnect(),
    }
  },
  async http({ frontUrl }) {
    const command = redisOverHttp({ url: frontUrl, token, allowHttpLoopback: true })
    return { command, close: async () => undefined }
  },
}
