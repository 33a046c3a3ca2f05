import {
  checkNumbers,
  configError,
  demandSignal,
  plainOptions,
  wrongOption,
} from '../../src/checks/index.ts'
import { KmsError } from '../../src/errors.ts'
import { webTimers, withTimeout } from '../../src/runtime/index.ts'
import type { DenoKv } from './deno-kv.ts'
import { denoNamespace, isDenied, permissionError } from './deno-permissions.ts'

/** Options of {@link openDenoKv}. */
export interface OpenDenoKvOptions {
  /** A file, or the URL of a remote database. By default that of Deno Deploy; elsewhere a file of Deno's own. */
  readonly path?: string | undefined
  /** How long opening may take, in milliseconds, 1 to 60,000; 10,000 by default. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal | undefined
}

/** A `Deno.Kv` that is open. */
export interface OpenDenoKv extends DenoKv {
  /** Closes it. Stores on it fail from then on. */
  close(): void
}

const BOUNDS = { timeoutMs: { standard: 10_000, least: 1, most: 60_000 } } as const

/**
 * Opens Deno KV as `Deno.openKv` does. Its errors name the missing flag: `--unstable-kv`, or for a file
 * `--allow-read` and `--allow-write`.
 *
 * @throws KmsError `ERR_KMS_CONFIG` for a flag that is missing; `ERR_STORE_UNAVAILABLE` if it cannot be opened, or
 * not in time; the signal's reason
 *
 * @example
 * ```ts
 * import { stackFromEnv } from 'edge-kms'
 * import { denoEnv, denoKvStores, openDenoKv } from 'edge-kms/deno'
 * import { localKmsFromEnv } from 'edge-kms/local'
 *
 * export async function openStack() {
 *   const kv = await openDenoKv({ path: 'app.sqlite' })
 *   const stores = denoKvStores({ kv, partition: 'app', trustedStore: true })
 *   return stackFromEnv(denoEnv(), { kms: localKmsFromEnv, ...stores })
 * }
 * ```
 */
export async function openDenoKv(options: OpenDenoKvOptions = {}): Promise<OpenDenoKv> {
  const { path, signal, ...numbers } = plainOptions(options)
  const { timeoutMs } = checkNumbers(BOUNDS, numbers)
  if (path !== undefined && (typeof path !== 'string' || path === ''))
    throw wrongOption('path', 'the path of a file or a URL', path)
  if (signal !== undefined) demandSignal(signal)
  const deno = denoNamespace()
  const { openKv } = deno
  if (typeof openKv !== 'function')
    throw configError('Deno KV is not available: start Deno with --unstable-kv')
  const opening = async (): Promise<OpenDenoKv> => {
    try {
      return (await openKv.call(deno, path)) as OpenDenoKv
    } catch (error) {
      if (isDenied(error)) throw denied(path)
      // The message of a remote database may hold its URL.
      throw unavailable('Deno KV cannot be opened', isRemote(path) ? undefined : error)
    }
  }
  const bounds = {
    timeoutMs,
    signal,
    network: webTimers,
    error: () => unavailable('Deno KV did not open in time'),
  }
  // One that opens too late has no owner who could close it.
  return withTimeout(opening, bounds, (kv) => kv.close())
}

const isRemote = (path = ''): boolean => /^https?:\/\//.test(path)

function denied(path = ''): KmsError {
  if (!isRemote(path))
    return permissionError(`open ${path}`, `--allow-read=${path} --allow-write=${path}`)
  const { host } = new URL(path)
  return permissionError(`reach ${host}`, `--allow-net=${host}`)
}

function unavailable(message: string, cause?: unknown): KmsError {
  const facts = { provider: 'deno-kv', operation: 'open', message }
  return new KmsError('ERR_STORE_UNAVAILABLE', { ...facts, ...(cause !== undefined && { cause }) })
}
