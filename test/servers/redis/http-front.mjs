/**
 * The REST protocol of Upstash before a real Redis: its documentation's, for single commands, which is
 * all that the stores use. It is ours, so it proves nothing about Upstash's own server; that our
 * requests are those of `@upstash/redis` is what rest-protocol.mjs compares.
 *
 * https://upstash.com/docs/redis/features/restapi
 */
import { openFront } from '../../../tools/servers/front.mjs'
import { token } from './clients.mjs'

/**
 * @param {import('../../../src/stores/index.ts').RedisCommand} command
 * @param {{ after?: (args: string[]) => void }} [hooks] `after`: what was done; a throw cuts the answer off
 */
export async function openRedisFront(command, hooks = {}) {
  const seen = []
  const front = await openFront(async (request) => {
    const body = await request.text()
    const headers = Object.fromEntries(request.headers)
    seen.push({ method: request.method, path: new URL(request.url).pathname, headers, body })
    if (headers['authorization'] !== `Bearer ${token}`) {
      return Response.json({ error: 'WRONGPASS invalid or missing auth token' }, { status: 401 })
    }
    const args = JSON.parse(body)
    let result
    try {
      result = await command(args.map(String), { signal: request.signal })
    } catch (error) {
      return Response.json({ error: error.message }, { status: 400 })
    }
    hooks.after?.(args)
    return Response.json({ result: encode(result, headers['upstash-encoding']) })
  })
  return { ...front, seen }
}

/** Upstash's own client asks for base64 of every string in the answer. */
function encode(result, encoding) {
  if (encoding !== 'base64' || result === 'OK') return result
  if (typeof result === 'string') return Buffer.from(result).toString('base64')
  return Array.isArray(result) ? result.map((one) => encode(one, encoding)) : result
}
