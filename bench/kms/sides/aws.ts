/** The same calls by AWS's own client, by this package, and by a bare `fetch` that signs nothing. */
import { type AwsKmsOptions, createAwsKms } from '../../../src/providers/aws-kms/index.ts'
import { type Adapter, callsOf, context, post, type Sides } from '../calls.ts'

export interface Place {
  readonly endpoint: string
  readonly arn: string
  readonly region: string
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
}

/** The part of `@aws-sdk/client-kms` that this uses. */
interface Client {
  readonly KMSClient: new (config: object) => { send(command: object): Promise<unknown> }
  readonly GenerateDataKeyCommand: new (input: object) => object
  readonly DecryptCommand: new (input: object) => object
}

export const clientName = '@aws-sdk/client-kms'

/**
 * `edge-kms` uses `fetch` and WebCrypto, `signer` uses `fetch` and `nodeAwsSigner`, `edge-kms/node` its own transport and
 * that signer.
 */
export async function createSides(
  { endpoint, arn, region, credentials }: Place,
  load: (name: string) => unknown,
  adapter?: Adapter & Required<Pick<AwsKmsOptions, 'signer'>>,
): Promise<Sides> {
  const options = { keyId: arn, credentials, endpoint, allowHttpLoopback: true }
  const { KMSClient, GenerateDataKeyCommand, DecryptCommand } = load(clientName) as Client
  const client = new KMSClient({ region, endpoint, credentials })
  const ours = createAwsKms(options)
  const { wraps } = await ours.generateDataKey({ context })
  const generate = { KeyId: arn, KeySpec: 'AES_256', EncryptionContext: context }
  const decrypt = { KeyId: arn, CiphertextBlob: wraps[0].wrapped, EncryptionContext: context }
  const bare = (operation: string) => () => {
    const headers = {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `TrentService.${operation}`,
    }
    return post(`${endpoint}/`, headers, { ...generate, Padding: 'x'.repeat(64) })
  }
  return {
    client: {
      generateDataKey: () => client.send(new GenerateDataKeyCommand(generate)),
      unwrapDataKey: () => client.send(new DecryptCommand(decrypt)),
    },
    'edge-kms': await callsOf(ours),
    ...(adapter !== undefined && {
      signer: await callsOf(createAwsKms({ ...options, signer: adapter.signer })),
      'edge-kms/node': await callsOf(createAwsKms({ ...options, ...adapter })),
    }),
    fetch: { generateDataKey: bare('GenerateDataKey'), unwrapDataKey: bare('Decrypt') },
  }
}
