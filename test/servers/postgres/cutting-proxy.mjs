/** A loopback port before a server of any protocol, which can cut an answer off. */
import { connect, createServer } from 'node:net'

/** @param {number} port */
export async function openCuttingProxy(port) {
  let cutsWhen = (/** @type {Buffer} */ _sent) => false
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1')
    let isCut = false
    client.on('data', (sent) => {
      isCut ||= cutsWhen(sent)
      upstream.write(sent)
    })
    upstream.on('data', (answer) => {
      if (isCut) client.destroy()
      else client.write(answer)
    })
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ]) {
      one.on('error', () => undefined)
      one.on('close', () => other.destroy())
    }
  })
  await new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(undefined))
  })
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    /** From now on the answer to what holds this text is cut off. */
    cut(text) {
      cutsWhen = (sent) => sent.includes(text)
    },
    close: () => server.close(),
  }
}
