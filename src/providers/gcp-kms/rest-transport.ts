import { decodeBase64, encodeBase64 } from '../../bytes/index.ts'
import type { GcpClient } from '../../credentials/gcp/index.ts'
import type { KmsSignalOptions } from '../../kms/index.ts'
import { meaningOfInvalid } from './errors.ts'
import type { GcpKmsAnswer, GcpKmsMethods, GcpKmsTransport } from './transport.ts'

/** The path of each method's request below `/v1/`: the field that begins it, and its ending. */
const PATHS: {
  readonly [M in keyof GcpKmsMethods]: readonly [keyof GcpKmsMethods[M], string, 'GET'?]
} = {
  Encrypt: ['name', ':encrypt'],
  Decrypt: ['name', ':decrypt'],
  GetCryptoKey: ['name', '', 'GET'],
  GetCryptoKeyVersion: ['name', '', 'GET'],
  CreateCryptoKeyVersion: ['parent', '/cryptoKeyVersions'],
  UpdateCryptoKeyPrimaryVersion: ['name', ':updatePrimaryVersion'],
  GenerateRandomBytes: ['location', ':generateRandomBytes'],
}

/** Fields of answers that hold bytes. */
const BYTES: readonly string[] = ['ciphertext', 'plaintext', 'data']

/** Cloud KMS over REST: JSON with bytes in base64 and 64-bit numbers as strings. */
export class RestTransport implements GcpKmsTransport {
  readonly #client: GcpClient
  readonly #endpoint: string

  constructor(client: GcpClient, endpoint: string) {
    this.#client = client
    this.#endpoint = endpoint
  }

  async call<M extends keyof GcpKmsMethods>(
    method: M,
    request: GcpKmsMethods[M],
    { signal, defer, hasAttemptTimeout }: KmsSignalOptions,
  ): Promise<GcpKmsAnswer> {
    const [field, end, verb = 'POST'] = PATHS[method]
    const fields = Object.entries(request as Readonly<Record<string, unknown>>)
    const rest = fields.filter(([name]) => name !== field).map(toJson)
    const answer = await this.#client.call({
      operation: method,
      method: verb,
      // W3.24: from the configuration alone
      url: `${this.#endpoint}/v1/${String(request[field])}${end}`,
      signal,
      defer,
      hasAttemptTimeout,
      ...(verb === 'POST' && { body: Object.fromEntries(rest) }),
      invalidArgument: meaningOfInvalid(method),
    })
    return Object.fromEntries(Object.entries(answer).map(fromJson))
  }
}

function toJson([name, value]: readonly [string, unknown]): [string, unknown] {
  if (value instanceof Uint8Array) return [name, encodeBase64(value)]
  return [name, name.endsWith('Crc32c') ? String(value) : value]
}

function fromJson([name, value]: readonly [string, unknown]): [string, unknown] {
  const isBytes = typeof value === 'string' && BYTES.includes(name)
  return [name, isBytes ? decodeBase64(value) : value]
}
