import { Log, LogLevel, Miniflare } from 'miniflare'

/**
 * @typedef {object} ServeOptions
 * @property {{ host: string, port: number }} address
 * @property {string} script
 * @property {string} compatibilityDate
 * @property {Record<string, string>} bindings
 */

/**
 * Runs the Worker in workerd, which listens itself: no byte goes through this process.
 * @param {ServeOptions} options
 */
export async function serve({ address, script, compatibilityDate, bindings }) {
  const miniflare = new Miniflare({
    ...address,
    name: 'edge-kms',
    modules: [{ type: 'ESModule', path: 'worker.mjs', contents: script }],
    compatibilityDate,
    bindings,
    // Without this it asks a server of Cloudflare what a request's `cf` looks like.
    cf: false,
    log: new Log(LogLevel.ERROR),
  })
  await miniflare.ready
  const host = address.host.includes(':') ? `[${address.host}]` : address.host
  return { url: `http://${host}:${address.port}`, stop: () => miniflare.dispose() }
}
