import { createServer } from 'node:net'
import { StartError } from './start-error.mjs'

/**
 * HOST and PORT, with the port free.
 * @param {NodeJS.ProcessEnv} env
 */
export async function readAddress(env) {
  const host = env['HOST'] || '127.0.0.1'
  const text = env['PORT'] || '8787'
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65_535) {
    throw new StartError(`PORT is ${JSON.stringify(text)}: set it to a number from 1 to 65535.`)
  }
  await probe(host, port)
  return { host, port }
}

/** @param {string} host @param {number} port */
function probe(host, port) {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error) => {
      reject(reasonOf(/** @type {NodeJS.ErrnoException} */ (error), host, port))
    })
    server.listen(port, host, () => server.close(() => resolve(undefined)))
  })
}

/** @param {NodeJS.ErrnoException} error @param {string} host @param {number} port */
function reasonOf(error, host, port) {
  switch (error.code) {
    case 'EADDRINUSE':
      return new StartError(
        `port ${port} on ${host} is in use. Stop what listens there, or choose another: PORT=8788 npm start`,
      )
    case 'EACCES':
      return new StartError(
        `port ${port} needs rights that you do not have. Try PORT=8787 npm start`,
      )
    case 'ENOTFOUND':
    case 'EADDRNOTAVAIL':
      return new StartError(`HOST is ${JSON.stringify(host)}, which is no address of this machine.`)
    default:
      return error
  }
}
