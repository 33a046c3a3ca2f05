/** Host names that a gateway answers to besides those of this machine, or `any`. */
export type HostRule = readonly string[] | 'any'

/** A name or an address, and a port; anything else could hide the name in a URL's other parts. */
export const HOST_AND_PORT: RegExp = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d*)?$/i

/** Returns whether this is a host name as a URL has it: in lower case, without a port. */
export function isHostName(name: unknown): boolean {
  if (typeof name !== 'string' || !HOST_AND_PORT.test(name)) return false
  return URL.canParse(`http://${name}`) && new URL(`http://${name}`).hostname === name
}

/** Returns whether this is the name of this machine. No resolver is asked for these. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname)
}
