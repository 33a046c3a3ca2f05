import { createInterface } from 'node:readline'
import { Log, LogLevel, Miniflare } from 'miniflare'
import { portInUse } from './address.mjs'

/**
 * Each chunk of a stream is young and soon garbage. By default V8 lets a young heap grow for the
 * first few hundred MiB before it collects in earnest, and does that on threads which fall behind on
 * a busy machine: workerd's memory would grow with a file's size. With these it stays flat and lower,
 * and as fast (measured by test/start/large.mjs).
 */
const V8_FLAGS = '--single-threaded-gc --max-semi-space-size=1 --initial-old-space-size=4'

/**
 * Runs the Worker in workerd, which listens itself: no byte goes through this process, nor through
 * miniflare's entry Worker, which rewrites headers and may compress.
 *
 * @param {object} options
 * @param {{ host: string, port: number }} options.address
 * @param {string} options.script
 * @param {string} options.compatibilityDate
 * @param {Record<string, { className: string, useSQLite: boolean }>} options.durableObjects
 * @param {Record<string, string>} options.bindings
 * @returns {Promise<string>} the URL
 */
export async function serve({ address, script, compatibilityDate, durableObjects, bindings }) {
  process.env['MINIFLARE_WORKERD_V8_FLAGS'] ??= V8_FLAGS
  const miniflare = new Miniflare({
    name: 'edge-kms',
    modules: [{ type: 'ESModule', path: 'worker.mjs', contents: script }],
    compatibilityDate,
    durableObjects,
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
  try {
    await miniflare.ready
  } catch (error) {
    // Somebody was faster, after readAddress had looked.
    if (/address already in use/i.test(String(error))) throw portInUse(address)
    throw error
  }
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
