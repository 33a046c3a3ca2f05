import { createGateway, type GatewayOptions } from '../../../adapters/gateway/index.ts'
import { CachedKms, EnvelopeCipher, type KeyManagementService } from '../../../src/index.ts'
import { LocalKms } from '../../../src/providers/local/index.ts'

export const ORIGIN = 'http://127.0.0.1:8787'
export const MAPS = {
  'Edge-Kms-Context': '{"tenant":"acme"}',
  'Edge-Kms-Aad': '{"file":"a.txt"}',
} as const
export const OPTIONS = { context: { tenant: 'acme' }, aad: { file: 'a.txt' } } as const

const KEY = crypto.getRandomValues(new Uint8Array(32))

/** A local KMS that counts the calls that a remote one would cost. */
export class CountedKms extends LocalKms {
  calls = 0

  constructor(key: Uint8Array = KEY) {
    super({ versions: [{ version: 1, key }] })
  }

  override generateDataKey(
    ...args: Parameters<LocalKms['generateDataKey']>
  ): ReturnType<LocalKms['generateDataKey']> {
    this.calls += 1
    return super.generateDataKey(...args)
  }

  override unwrapDataKey(
    ...args: Parameters<LocalKms['unwrapDataKey']>
  ): ReturnType<LocalKms['unwrapDataKey']> {
    this.calls += 1
    return super.unwrapDataKey(...args)
  }
}

/** A gateway over a KMS, with the cipher beside it. */
export function setUp<K extends KeyManagementService = CountedKms>(
  kms?: K,
  options: Partial<GatewayOptions> = {},
): {
  readonly app: ReturnType<typeof createGateway>
  readonly cipher: EnvelopeCipher
  readonly kms: K
} {
  const service = (kms ?? new CountedKms()) as K
  const keys = new CachedKms({ kms: service })
  const cipher = new EnvelopeCipher({ keys })
  const cacheStats = (): ReturnType<CachedKms['stats']> => keys.stats()
  return {
    app: createGateway({ cipher, kms: service, cacheStats, ...options }),
    cipher,
    kms: service,
  }
}

/** A request with a body; streams need `duplex`, which the DOM's types do not know. */
export function post(
  path: string,
  body: BodyInit | null,
  headers: Readonly<Record<string, string>> = MAPS,
): Request {
  const init = { method: 'POST', body, headers, duplex: 'half' }
  return new Request(`${ORIGIN}${path}`, init)
}

/** A request that states its length, as a client with a file does. */
export function postSized(
  path: string,
  body: Uint8Array<ArrayBuffer>,
  headers: Readonly<Record<string, string>> = MAPS,
): Request {
  return post(path, body, { ...headers, 'Content-Length': String(body.length) })
}

/** Reads until the end or the failure. */
export async function drain(response: Response): Promise<{ bytes: number; error: unknown }> {
  let bytes = 0
  try {
    for await (const piece of response.body!) bytes += piece.length
    return { bytes, error: undefined }
  } catch (error) {
    return { bytes, error }
  }
}

export async function bytesOf(response: Response): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await response.arrayBuffer())
}

/** Bytes without a period that a chunk could hide. */
export function sequence(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => (i ^ (i >>> 8) ^ (i >>> 16)) & 0xff)
}

export async function codeIn(response: Response): Promise<unknown> {
  return ((await response.json()) as { readonly code?: unknown }).code
}
