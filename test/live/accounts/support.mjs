/** The same for every account. */
import { randomBytes } from 'node:crypto'

/** Returns a name that no other run has; everything that a run makes begins with it. */
export const runName = () => `edge-kms-live-${randomBytes(5).toString('hex')}`

/**
 * Returns the URL without a slash at its end. Secrets go to https, or to this machine.
 *
 * @param {string | undefined} text
 */
export function loopbackOrHttps(text) {
  if (text === undefined) return undefined
  const { protocol, hostname, origin } = new URL(text)
  const isLoopback = ['127.0.0.1', '[::1]', 'localhost'].includes(hostname)
  if (protocol !== 'https:' && !(protocol === 'http:' && isLoopback))
    throw new Error(`the address must be https, or http on this machine, got ${protocol}//…`)
  return origin
}

/**
 * Returns the JSON of an answer, or `undefined` for none.
 *
 * @param {string} what names the call in an error
 * @param {Response} response
 * @returns {Promise<any>}
 */
export async function answerOf(what, response) {
  const text = await response.text()
  if (!response.ok) throw new Error(`${what} answered ${response.status}: ${text.slice(0, 500)}`)
  return text === '' ? undefined : JSON.parse(text)
}

/**
 * Returns the place of a target. `server` names an emulator whose known deviations the suite expects; a vendor has none.
 *
 * @param {string | undefined} endpoint
 * @param {string | undefined} server
 */
export const placeOf = (endpoint, server) =>
  endpoint === undefined ? { name: 'live' } : { name: server ?? 'live', endpoint }
