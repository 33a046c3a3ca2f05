/** The same calls by Google's own client over gRPC and over REST, by this package, and by a bare `fetch`. */
import { crc32c } from '../../../src/bytes/index.ts'
import { createGcpKms } from '../../../src/providers/gcp-kms/index.ts'
import { type Adapter, callsOf, context, post, type Sides } from '../calls.ts'

export interface Place {
  readonly endpoint: string
  readonly grpcPort: number
  readonly keyName: string
  readonly token: string
}

type Answer = readonly [{ readonly ciphertext: Uint8Array }]
interface Client {
  readonly KeyManagementServiceClient: new (config: object) => {
    encrypt(request: object): Promise<Answer>
    decrypt(request: object): Promise<unknown>
  }
}
interface Grpc {
  readonly credentials: { createInsecure(): unknown }
}

export const clientName = '@google-cloud/kms'

export async function createSides(
  { endpoint, grpcPort, keyName, token }: Place,
  load: (name: string) => unknown,
  adapter?: Adapter,
): Promise<Sides> {
  const { KeyManagementServiceClient } = load(clientName) as Client
  const { credentials } = load('@grpc/grpc-js') as Grpc
  const authorization = `Bearer ${token}`
  const place = { apiEndpoint: '127.0.0.1', universeDomain: 'googleapis.com' }
  const rest = {
    ...place,
    fallback: true,
    protocol: 'http',
    port: new URL(endpoint).port,
    auth: {
      universeDomain: 'googleapis.com',
      getRequestHeaders: () => Promise.resolve(new Headers({ authorization })),
      fetch: (url: string, { headers, ...init }: { headers: Headers }) => {
        headers.set('authorization', authorization)
        return fetch(url, { ...init, headers })
      },
    },
  }
  const grpc = { ...place, port: grpcPort, sslCreds: credentials.createInsecure() }
  const plaintext = crypto.getRandomValues(new Uint8Array(32))
  const aad = new TextEncoder().encode(JSON.stringify(context))
  // Both sides send checksums, as Google asks for. This client's are computed once, before the clock runs.
  const text = (bytes: Uint8Array): string => String(crc32c(bytes))
  const sum = (bytes: Uint8Array): object => ({ value: text(bytes) })
  const bound = {
    name: keyName,
    additionalAuthenticatedData: aad,
    additionalAuthenticatedDataCrc32c: sum(aad),
  }
  const encrypt = { ...bound, plaintext, plaintextCrc32c: sum(plaintext) }
  const theirs = async (config: object) => {
    const client = new KeyManagementServiceClient(config)
    const [{ ciphertext }] = await client.encrypt(encrypt)
    const decrypt = { ...bound, ciphertext, ciphertextCrc32c: sum(ciphertext) }
    return {
      generateDataKey: () => client.encrypt(encrypt),
      unwrapDataKey: () => client.decrypt(decrypt),
    }
  }
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
  const bare = (method: string, body: object) => () =>
    post(`${endpoint}/v1/${keyName}:${method}`, { authorization }, body)
  const options = { keyName, credentials: { token }, endpoint, allowHttpLoopback: true }
  const sides = {
    client: await theirs(grpc),
    'client, REST': await theirs(rest),
    'edge-kms': await callsOf(createGcpKms(options)),
    ...(adapter !== undefined && {
      'edge-kms/node': await callsOf(createGcpKms({ ...options, network: adapter.network })),
    }),
  }
  const about = {
    additionalAuthenticatedData: base64(aad),
    additionalAuthenticatedDataCrc32c: text(aad),
  }
  const body = { ...about, plaintext: base64(plaintext), plaintextCrc32c: text(plaintext) }
  const [{ ciphertext }] = await sides['client, REST'].generateDataKey()
  const wrapped = { ...about, ciphertext: base64(ciphertext), ciphertextCrc32c: text(ciphertext) }
  return {
    ...sides,
    fetch: { generateDataKey: bare('encrypt', body), unwrapDataKey: bare('decrypt', wrapped) },
  }
}
