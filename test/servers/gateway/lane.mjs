/**
 * The gateway of `npm start` behind nginx: a cut or tampered answer is noticed by every client, in HTTP/1.0
 * and 1.1, with nginx as it is by default and as docs/guides/gateway.md says.
 */
import assert from 'node:assert/strict'
import { ensureInstalled } from '../../../tools/servers/cache.mjs'
import { MissingError } from '../../../tools/servers/missing.mjs'
import { nginx, nginxBefore, versionOf } from '../../../tools/servers/nginx.mjs'
import { freePort, startServer } from '../../../tools/servers/start.mjs'
import { curlFolder } from '../../start/curl.mjs'
import { checkCuts } from '../../start/cuts.mjs'
import { startGateway, stateFolder } from '../../start/gateway-process.mjs'

/** Directives of each path, before a gateway that streams every answer. */
const STREAMED = {
  default: [],
  'http-1.0': ['proxy_http_version 1.0'],
  'http-1.1': ['proxy_http_version 1.1'],
}
/**
 * nginx stops sending a request's body as soon as the answer begins. Bytes that it has not written to the socket
 * by then are never sent, so without holding only bodies that fit into the buffers of a socket go through.
 */
const FITS = 600_000
const MIB = 1_048_576
/** Those of docs/guides/gateway.md. */
const HELD = {
  guide: [
    'client_max_body_size 8m',
    'client_body_buffer_size 8m',
    'proxy_http_version 1.1',
    'proxy_max_temp_file_size 0',
    'proxy_read_timeout 60s',
  ],
}

/** @param {{ report: ReturnType<typeof import('../lib/report.mjs').createReport> }} options */
export async function runLane({ report }) {
  const folder = await installed()
  if (folder instanceof MissingError) {
    report.skip('gateway/nginx', folder.message)
    return
  }
  console.log(`gateway: ${versionOf(folder)}`)
  await behind(folder, { paths: STREAMED, holdBytes: 0, bytes: FITS, report })
  const log = await behind(folder, { paths: HELD, holdBytes: 8 * MIB, bytes: 6 * MIB, report })
  await report.check('gateway/nginx guide: no plaintext is written to a file', () => {
    assert.doesNotMatch(log, /temporary file/)
  })
}

/**
 * Checks one gateway behind one nginx, and returns nginx's log.
 *
 * @param {string} folder
 * @param {object} set
 * @param {Record<string, readonly string[]>} set.paths
 * @param {number} set.holdBytes
 * @param {number} set.bytes
 * @param {ReturnType<typeof import('../lib/report.mjs').createReport>} set.report
 */
async function behind(folder, { paths, holdBytes, bytes, report }) {
  const state = stateFolder()
  const gateway = startGateway({
    EDGE_KMS_STATE_DIR: state.path,
    EDGE_KMS_GATEWAY_HOLD_BYTES: String(holdBytes),
    PORT: String(await freePort()),
    HOST: '',
  })
  const world = curlFolder()
  try {
    const proxy = await startServer(nginxBefore(await gateway.ready, paths), folder)
    for (const path of Object.keys(paths)) {
      const check = (name, work) => report.check(`gateway/nginx ${path}: ${name}`, work)
      checkCuts({ check }, world, `${proxy.url}/${path}`, bytes)
    }
    await report.settled()
    const log = proxy.log()
    await proxy.stop()
    return log
  } finally {
    await gateway.stop()
    state.remove()
    world.remove()
  }
}

async function installed() {
  try {
    return await ensureInstalled(nginx)
  } catch (error) {
    if (!(error instanceof MissingError) || process.env['CI'] === 'true') throw error
    return error
  }
}
