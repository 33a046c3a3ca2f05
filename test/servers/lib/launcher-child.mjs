/** Run by launcher.mjs: starts the toy server, says what it started, and ends in one of many ways. */
import { startServer } from '../../../tools/servers/start.mjs'
import { toy } from '../launcher.mjs'

const server = await startServer(toy, '')
process.stdout.write(`${JSON.stringify({ pid: server.pid, log: server.logPath })}\n`)
switch (process.argv[2]) {
  case 'end':
    await server.stop()
    break
  case 'throw':
    throw new Error('as a test would')
  case 'exit':
    process.exit(1)
    break
  case 'hang':
    await new Promise(() => setInterval(() => undefined, 1000))
}
