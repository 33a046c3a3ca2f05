/** The same calls by Microsoft's own client, by this package, and by a bare `fetch`. */
import { createAzureKeyVaultKms } from '../../../src/providers/azure-key-vault/index.ts'
import { webNetwork } from '../../../src/runtime/index.ts'
import type { Network } from '../../../src/ports/index.ts'
import { type Adapter, callsOf, post, type Sides } from '../calls.ts'

export interface Place {
  readonly endpoint: string
  readonly vault: string
  readonly keyId: string
  readonly token: string
}

interface Wrapped {
  readonly keyID: string
  readonly result: Uint8Array
}
interface Client {
  readonly CryptographyClient: new (
    key: string,
    credential: object,
    options: object,
  ) => {
    wrapKey(algorithm: string, key: Uint8Array): Promise<Wrapped>
    unwrapKey(algorithm: string, key: Uint8Array): Promise<unknown>
  }
}
interface Pipeline {
  createDefaultHttpClient(): { sendRequest(request: object): Promise<unknown> }
}

export const clientName = '@azure/keyvault-keys'
const ALGORITHM = 'RSA-OAEP-256'

export async function createSides(
  { endpoint, vault, keyId, token }: Place,
  load: (name: string) => unknown,
  adapter?: Adapter,
): Promise<Sides> {
  const { CryptographyClient } = load(clientName) as Client
  const plain = (load('@azure/core-rest-pipeline') as Pipeline).createDefaultHttpClient()
  const here = (url: string): string => url.replace(vault, endpoint)
  const httpClient = {
    sendRequest: (request: { readonly url: string }) =>
      // The client compares the challenge with the URL of its own request: that one stays.
      plain.sendRequest({ ...request, url: here(request.url), allowInsecureConnection: true }),
  }
  const expiresOnTimestamp = Date.now() + 86_400_000
  const credential = { getToken: () => Promise.resolve({ token, expiresOnTimestamp }) }
  const options = { httpClient, retryOptions: { maxRetries: 0 } }
  const wrapping = new CryptographyClient(keyId, credential, options)
  const dek = crypto.getRandomValues(new Uint8Array(32))
  const { keyID, result } = await wrapping.wrapKey(ALGORITHM, dek)
  // It unwraps only under the version that it was made for.
  const unwrapping = new CryptographyClient(keyID, credential, options)
  const ours = (network: Network) =>
    callsOf(
      createAzureKeyVaultKms({
        keyId,
        credentials: () => Promise.resolve({ token, expiresAtMs: expiresOnTimestamp }),
        network: { ...network, fetch: (url, init) => network.fetch(here(url), init) },
      }),
    )
  const bare = (url: string, value: Uint8Array) => () =>
    post(
      `${here(url)}?api-version=7.4`,
      { authorization: `Bearer ${token}` },
      { alg: ALGORITHM, value: Buffer.from(value).toString('base64url') },
    )
  return {
    client: {
      generateDataKey: () => wrapping.wrapKey(ALGORITHM, dek),
      unwrapDataKey: () => unwrapping.unwrapKey(ALGORITHM, result),
    },
    'edge-kms': await ours(webNetwork),
    ...(adapter !== undefined && { 'edge-kms/node': await ours(adapter.network) }),
    fetch: {
      generateDataKey: bare(`${keyId}/wrapkey`, dek),
      unwrapDataKey: bare(`${keyID}/unwrapkey`, result),
    },
  }
}
