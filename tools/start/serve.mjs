import { createInterface } from 'node:readline'
import { Log, LogLevel, Miniflare } from 'miniflare'

/**
 * V8 sizes the space for young objects after a browser's needs. Each chunk of a stream is young and
 * soon garbage, so workerd's memory would grow with the first gigabyte; with this it stays flat.
 */
const V8_FLAGS = '--max-semi-space-size=1'

/**
 * Runs the Worker in workerd, which listens itself: no byte goes through this process, nor through
 * miniflare's entry Worker, which rewrites headers and may compress.
 *
 * @param {object} options
 * @param {{ host: string, port: number }} options.address
 * @param {string} options.script
 * @param {string} options.compatibilityDate
 * @param {Record<string, string>} options.bindings
 * @returns {Promise<string>} the URL
 */
export async function serve({ address, script, compatibilityDate, bindings }) {
  process.env['MINIFLARE_WORKERD_V8_FLAGS'] ??= V8_FLAGS
  const miniflare = new Miniflare({
    name: 'edge-kms',
    modules: [{ type: 'ESModule', path: 'worker.mjs', contents: script }],
    compatibilityDate,
    bindings,
    unsafeDirectSockets: [address],
    // Without this it asks a server of Cloudflare what a request's `cf` looks like.
    cf: false,
    log: new Log(LogLevel.ERROR),
    handleRuntimeStdio(stdout, stderr) {
      for (const stream of [stdout, stderr])
        createInterface(stream).on('line', (line) => {
          const text = readable(line)
          if (text !== undefined) console.error(text)
        })
    },
  })
  await miniflare.ready
  return urlOf(address)
}

/** @param {{ host: string, port: number }} address */
function urlOf({ host, port }) {
  const anyAddress = host === '0.0.0.0' || host === '::'
  const name = anyAddress ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host
  return `http://${name}:${port}`
}

/**
 * A line of workerd's log for people: what broke an answer off, without the addresses of its code.
 *
 * @param {string} line
 */
function readable(line) {
  if (line.startsWith('stack: ')) return undefined
  const reason = /Uncaught exception: .*?failed: (?:remote\.)*jsg\.\w+: (.*)$/.exec(line)?.[1]
  return reason === undefined ? line : `edge-kms: an answer broke off: ${reason}`
}
