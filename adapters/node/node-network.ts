import { X509Certificate } from 'node:crypto'
import { type AgentOptions, Agent as HttpAgent, request as httpRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import {
  integer,
  isTexts,
  plainOptions,
  refuseOthers,
  wrongOption,
} from '../../src/checks/index.ts'
import type { Network, NetworkResponse } from '../../src/index.ts'
import type { AwsSigner } from '../../src/providers/aws-kms/index.ts'
import { IncomingBody } from './incoming-body.ts'
import { nodeAwsSigner } from './node-aws-signer.ts'

/** Options of {@link createNodeNetwork}. */
export interface NodeNetworkOptions {
  /**
   * Connections to one server at the same time, 1 to 1,024; 64 by default. Further requests wait, and their timeout
   * keeps running.
   */
  readonly maxConnections?: number
  /**
   * How long an unused connection is kept, 1 to 600,000 milliseconds; 15,000 by default. Keep it below the idle
   * timeouts of the server and of everything between: a request fails on a connection that they closed.
   */
  readonly idleMs?: number
  /** Certificates of authorities in PEM. They replace Node's own list, for servers with a private authority. */
  readonly ca?: string | readonly string[]
}

/** A {@link Network} that keeps connections open. */
export interface NodeNetwork extends Network {
  /** `nodeAwsSigner`. Requests to AWS over this network are signed with it, unless you set an option `signer`. */
  readonly awsSigner: AwsSigner
  /** Closes all connections; requests in flight fail. */
  close(): void
}

/**
 * Returns a network over `node:http` and `node:https` that signs requests to AWS with `node:crypto`. On Node it costs
 * about half as much as `fetch` and WebCrypto. Pass it as the `network` option of a provider, a source of credentials
 * or a store; for `stackFromEnv`, use `nodePlatform`. It always checks certificates and never follows redirects.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 *
 * @example
 * ```ts
 * import { EnvelopeCipher } from 'edge-kms'
 * import { awsCredentialsFromEnv, createAwsKms } from 'edge-kms/aws-kms'
 * import { createNodeNetwork } from 'edge-kms/node'
 *
 * const kms = createAwsKms({
 *   keyId: 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
 *   credentials: async () => awsCredentialsFromEnv(process.env),
 *   network: createNodeNetwork(),
 * })
 * export const cipher = new EnvelopeCipher({ kms })
 * ```
 */
export function createNodeNetwork(options: NodeNetworkOptions = {}): NodeNetwork {
  const { maxConnections = 64, idleMs = 15_000, ca, ...others } = plainOptions(options)
  refuseOthers(others)
  integer('maxConnections', maxConnections, 1, 1_024)
  integer('idleMs', idleMs, 1, 600_000)
  const pool: AgentOptions = {
    keepAlive: true,
    maxSockets: maxConnections,
    scheduling: 'lifo', // the others may grow old and be closed
    timeout: idleMs,
  }
  const plain = new HttpAgent(pool)
  const secure = new HttpsAgent({
    ...pool,
    rejectUnauthorized: true, // whatever NODE_TLS_REJECT_UNAUTHORIZED says
    ...(ca !== undefined && { ca: certificatesOf(ca) }),
  })
  return {
    fetch: (url, init) => exchange(url, init, plain, secure),
    after(delayMs, callback) {
      const timer = setTimeout(callback, delayMs)
      return () => {
        clearTimeout(timer)
      }
    },
    jitter: () => Math.random(),
    awsSigner: nodeAwsSigner,
    close() {
      plain.destroy()
      secure.destroy()
    },
  }
}

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/**
 * Returns the certificates one by one. None at all, such as an empty variable, would mean Node's own list, and Node
 * drops what it cannot read in silence.
 */
function certificatesOf(ca: string | readonly string[]): string[] {
  const texts = typeof ca === 'string' ? [ca] : ca
  const expected = 'certificates in PEM'
  if (!isTexts(texts)) throw wrongOption('ca', expected, ca)
  const lists = texts.map((text) => text.match(PEM) ?? [])
  if (lists.length === 0 || lists.some((list) => list.length === 0))
    throw wrongOption('ca', expected, ca)
  const certificates = lists.flat()
  try {
    for (const one of certificates) new X509Certificate(one)
  } catch {
    throw wrongOption('ca', expected, ca)
  }
  return certificates
}

function exchange(
  url: string,
  { method = 'GET', headers, body, signal }: RequestInit,
  plain: HttpAgent,
  secure: HttpsAgent,
): Promise<NetworkResponse> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const target = new URL(url)
    const settings = { method, headers: recordOf(headers) }
    const outgoing =
      target.protocol === 'https:'
        ? httpsRequest(target, { ...settings, agent: secure })
        : httpRequest(target, { ...settings, agent: plain })
    const stop = (): void => {
      outgoing.destroy(signal?.reason as Error)
      reject(signal?.reason as Error) // Node says nothing while it waits for a connection
    }
    signal?.addEventListener('abort', stop, { once: true })
    let answered = false
    outgoing.once('response', (incoming) => {
      answered = true
      const { statusCode: status = 0, headers: fields } = incoming
      const get = (name: string): string | null => {
        const value = fields[name.toLowerCase()] ?? null
        return Array.isArray(value) ? value.join(', ') : value
      }
      resolve({ status, headers: { get }, body: new IncomingBody(incoming) })
    })
    outgoing.on('error', reject)
    outgoing.once('close', () => {
      signal?.removeEventListener('abort', stop)
      // Or an answer that nobody asked for, as 101. An error costs more than all else here.
      if (!answered) reject(new Error('the connection was closed'))
    })
    if (body === undefined || body === null) outgoing.end()
    else if (typeof body === 'string' || body instanceof Uint8Array) outgoing.end(body)
    else outgoing.destroy(new TypeError('a body must be a string or bytes'))
  })
}

function recordOf(headers: HeadersInit = {}): Record<string, string> {
  return Symbol.iterator in headers ? Object.fromEntries(new Headers(headers)) : headers
}
