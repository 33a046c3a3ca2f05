import { plainOptions, refuseOthers, wrongOption } from '../checks/index.ts'
import { KmsError } from '../errors.ts'
import {
  checkEndpoint,
  type HttpResponse,
  parseJsonObject,
  retryAfterMs,
  Transport,
} from '../http/index.ts'
import type { Network, Runtime } from '../ports/index.ts'
import { webNetwork, webRuntime } from '../runtime/index.ts'
import { MAX_VALUE_BYTES } from './checks.ts'
import type { RedisCommand } from './redis-command.ts'

/** Options of {@link redisOverHttp}. */
export interface RedisOverHttpOptions {
  /** `UPSTASH_REDIS_REST_URL`, or that of another server of the same protocol. */
  readonly url: string
  /** `UPSTASH_REDIS_REST_TOKEN`. The server refuses a read-only token at the first write. */
  readonly token: string
  /** Plain http to this machine, for tests. */
  readonly allowHttpLoopback?: boolean
  readonly network?: Network
  readonly runtime?: Runtime
}

/** Longer than any call may take: the store's own deadline comes first. */
const TIMEOUT_MS = 60_000
/** The largest value as base64 and its frame, or a page of a list. */
const MAX_BODY_BYTES = MAX_VALUE_BYTES * 2

/**
 * Returns a {@link RedisCommand} that uses the REST protocol of `@upstash/redis`, by `fetch` alone.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 * @see https://upstash.com/docs/redis/features/restapi
 *
 * @example
 * ```ts
 * import { RedisKeyValueStore, redisOverHttp } from 'edge-kms/stores'
 *
 * export function storeOf(env: { UPSTASH_REDIS_REST_URL: string; UPSTASH_REDIS_REST_TOKEN: string }) {
 *   const { UPSTASH_REDIS_REST_URL: url, UPSTASH_REDIS_REST_TOKEN: token } = env
 *   return new RedisKeyValueStore({ command: redisOverHttp({ url, token }) })
 * }
 * ```
 */
export function redisOverHttp(options: RedisOverHttpOptions): RedisCommand {
  const { token, network = webNetwork, runtime = webRuntime, ...more } = plainOptions(options)
  const { url: given, allowHttpLoopback = false, ...others } = more
  refuseOthers(others)
  const url = checkEndpoint(given, { allowHttpLoopback })
  if (typeof token !== 'string' || !/^[\x21-\x7e]{1,4096}$/.test(token)) {
    throw wrongOption('token', '1 to 4096 visible ASCII characters', token)
  }
  const transport = new Transport({
    network,
    timeoutMs: TIMEOUT_MS,
    maxBodyBytes: MAX_BODY_BYTES,
  })
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  return async (args, { signal }) => {
    const body = JSON.stringify(args)
    const response = await transport.send({ method: 'POST', url: `${url}/`, headers, body, signal })
    return resultOf(response, runtime)
  }
}

/** @throws KmsError `ERR_STORE_UNAVAILABLE` */
function resultOf(response: HttpResponse, runtime: Runtime): unknown {
  const answer = parseJsonObject(response.body)
  const { status } = response
  if (status === 200 && answer !== undefined && Object.hasOwn(answer, 'result')) {
    return answer['result']
  }
  const waitMs = retryAfterMs(response.headers, runtime.now())
  throw new KmsError('ERR_STORE_UNAVAILABLE', {
    provider: 'redis',
    status,
    // Of what it says only the code: `WRONGPASS invalid or missing auth token`.
    message: `Redis refused the command${codeOf(answer?.['error'])}`,
    retryable: status === 429 || status >= 500,
    ...(waitMs !== undefined && { retryAfterMs: waitMs }),
  })
}

function codeOf(error: unknown): string {
  const code =
    typeof error === 'string' ? /^(?:ERR )?([A-Z]{2,32})(?= )/.exec(error)?.[1] : undefined
  return code === undefined ? '' : ` with ${code}`
}
