import { setTimeout as sleep } from 'node:timers/promises'

/**
 * toxiproxy's HTTP interface, as much of it as the faults here need.
 *
 * @typedef {object} Toxic
 * @property {'latency' | 'reset_peer' | 'timeout' | 'slicer' | 'limit_data' | 'slow_close'} type
 * @property {'upstream' | 'downstream'} [stream] `downstream` by default: what the server sends
 * @property {Record<string, number>} attributes
 *
 * @typedef {Awaited<ReturnType<typeof openProxy>>} Proxy
 */

const NOTICED_MS = 100

/** A proxy on loopback in front of one server. @param {string} api @param {string} upstream */
export async function openProxy(api, upstream) {
  /** @param {string} method @param {string} path @param {object} [body] @returns {Promise<any>} */
  const call = async (method, path, body) => {
    const init = body === undefined ? { method } : { method, body: JSON.stringify(body) }
    const answer = await fetch(`${api}${path}`, init)
    const text = await answer.text()
    if (!answer.ok) throw new Error(`toxiproxy: ${method} ${path}: ${answer.status} ${text}`)
    return text === '' ? undefined : JSON.parse(text)
  }
  const name = crypto.randomUUID()
  const { listen } = await call('POST', '/proxies', {
    name,
    listen: '127.0.0.1:0',
    upstream: new URL(upstream).host,
    enabled: true,
  })
  const turn = (enabled) => call('POST', `/proxies/${name}`, { enabled })
  return {
    url: `http://${listen}`,
    /** Everything that goes through from now on, on connections that are open, too. @param {Toxic} toxic */
    async add({ type, stream = 'downstream', attributes }) {
      await call('POST', `/proxies/${name}/toxics`, { type, stream, attributes })
    },
    /** Closes every connection and refuses others. */
    cut: () => turn(false),
    /** No fault is left, and clients have noticed which connections ended with it. */
    async heal() {
      await turn(true)
      for (const toxic of await call('GET', `/proxies/${name}/toxics`))
        await call('DELETE', `/proxies/${name}/toxics/${toxic.name}`)
      await sleep(NOTICED_MS)
    },
  }
}
