/** Whether a server of the Redis protocol answers on this loopback port. */
import { once } from 'node:events'
import { connect } from 'node:net'

/** @param {number} port */
export async function answersPing(port) {
  const socket = connect(port, '127.0.0.1')
  try {
    socket.write('PING\r\n')
    const [answer] = await once(socket, 'data', { signal: AbortSignal.timeout(2000) })
    return String(answer).startsWith('+PONG')
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
