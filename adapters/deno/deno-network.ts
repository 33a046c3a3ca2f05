import type { Network } from '../../src/ports/index.ts'
import { webNetwork } from '../../src/runtime/index.ts'
import { isDenied, permissionError } from './deno-permissions.ts'

/**
 * Sends requests by `fetch`. If Deno may not reach a host, the error is an `ERR_KMS_CONFIG` that names the flag, and
 * the request is not retried. The default network would report that the service is unavailable.
 */
export const denoNetwork: Network = {
  fetch: async (url, init) => {
    try {
      return await webNetwork.fetch(url, init)
    } catch (error) {
      throw isDenied(error) ? unreachable(url) : error
    }
  },
  after: (delayMs, callback) => webNetwork.after(delayMs, callback),
  jitter: () => webNetwork.jitter(),
}

function unreachable(url: string): Error {
  const { hostname, port, protocol } = new URL(url)
  const place = `${hostname}:${port || (protocol === 'http:' ? '80' : '443')}`
  return permissionError(`reach ${place}`, `--allow-net=${place}`)
}
