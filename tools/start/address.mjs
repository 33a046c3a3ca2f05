import { createServer } from 'node:net'
import { StartError } from './start-error.mjs'

/**
 * HOST and PORT, checked, with the port free.
 *
 * @param {NodeJS.ProcessEnv} env
 */
export async function readAddress(env) {
  const host = env['HOST'] || '127.0.0.1'
  const text = env['PORT'] || '8787'
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65_535) {
    throw new StartError(`PORT is ${JSON.stringify(text)}: set it to a number from 1 to 65535.`)
  }
  if (!isLoopback(host) && !env['EDGE_KMS_GATEWAY_HOSTS']) {
    throw new StartError(
      `HOST is ${JSON.stringify(host)}, which others can reach, and the gateway has no authentication. ` +
        'If something in front of it does, name the hosts that it may be called by in EDGE_KMS_GATEWAY_HOSTS.',
    )
  }
  await probe(host, port)
  return { host, port }
}

/** @param {string} host */
function isLoopback(host) {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)
}

/**
 * @param {string} host
 * @param {number} port
 */
function probe(host, port) {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error) => {
      reject(reasonOf(error, host, port))
    })
    server.listen(port, host, () => server.close(() => resolve(undefined)))
  })
}

/**
 * @param {NodeJS.ErrnoException} error
 * @param {string} host
 * @param {number} port
 */
function reasonOf(error, host, port) {
  switch (error.code) {
    case 'EADDRINUSE':
      return portInUse({ host, port })
    case 'EACCES':
      return new StartError(
        `port ${port} needs rights that you do not have. Choose another: PORT=8787 npm start`,
      )
    case 'ENOTFOUND':
    case 'EADDRNOTAVAIL':
    case 'EINVAL':
      return new StartError(
        `HOST is ${JSON.stringify(host)}, which is not an address of this machine.`,
      )
    default:
      return error
  }
}

/** @param {{ host: string, port: number }} address */
export function portInUse({ host, port }) {
  const other = port === 8788 ? 8789 : 8788
  return new StartError(
    `port ${port} on ${host} is in use. Stop what listens there, or choose another: PORT=${other} npm start`,
  )
}
