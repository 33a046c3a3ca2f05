import { createApp } from './app.ts'
import { createPool, createStack, required } from './environment.ts'
import { listen } from './listen.ts'

const { cipher } = createStack()
const pool = createPool()
const app = createApp({ pool, cipher, tokens: required('TOKENS') })
const port = Number(process.env['PORT'] ?? '3000')
const server = await listen(app.fetch, process.env['HOST'] ?? '127.0.0.1', port)
console.log(`listening on ${server.url}`)

async function stop(): Promise<void> {
  await server.close()
  await pool.end()
  process.exit(0)
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop())
