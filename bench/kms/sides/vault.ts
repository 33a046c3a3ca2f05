/** The same calls by a client of Vault that others wrote, by this package, and by a bare `fetch`. */
import { createVaultTransitKms, vaultToken } from '../../../src/providers/vault-transit/index.ts'
import { type Adapter, callsOf, context, post, type Sides } from '../calls.ts'

export interface Place {
  readonly endpoint: string
  readonly key: string
  readonly token: string
}

interface Written {
  readonly data: { readonly ciphertext: string }
}
type Client = (config: object) => { write(path: string, body: object): Promise<Written> }

export const clientName = 'node-vault'

export async function createSides(
  { endpoint, key, token }: Place,
  load: (name: string) => unknown,
  adapter?: Adapter,
): Promise<Sides> {
  const client = (load(clientName) as Client)({ endpoint, token })
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
  const associated_data = base64(new TextEncoder().encode(JSON.stringify(context)))
  const plaintext = base64(crypto.getRandomValues(new Uint8Array(32)))
  const encrypt = { plaintext, associated_data }
  const { data } = await client.write(`transit/encrypt/${key}`, encrypt)
  const decrypt = { ciphertext: data.ciphertext, associated_data }
  const options = { endpoint, key, auth: vaultToken(token), allowHttpLoopback: true }
  const bare = (operation: string, body: object) => () =>
    post(`${endpoint}/v1/transit/${operation}/${key}`, { 'x-vault-token': token }, body)
  return {
    client: {
      generateDataKey: () => client.write(`transit/encrypt/${key}`, encrypt),
      unwrapDataKey: () => client.write(`transit/decrypt/${key}`, decrypt),
    },
    'edge-kms': await callsOf(createVaultTransitKms(options)),
    ...(adapter !== undefined && {
      'edge-kms/node': await callsOf(
        createVaultTransitKms({ ...options, network: adapter.network }),
      ),
    }),
    fetch: { generateDataKey: bare('encrypt', encrypt), unwrapDataKey: bare('decrypt', decrypt) },
  }
}
