/** The same calls by AWS's own client, by this package, and by a bare `fetch` that signs nothing. */
import { type AwsKmsOptions, createAwsKms } from '../../src/providers/aws-kms/index.ts'

/** The server's address and keys. */
export interface Place {
  readonly endpoint: string
  readonly arn: string
  readonly region: string
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
}

/** The part of `@aws-sdk/client-kms` that this uses. */
export interface Sdk {
  readonly KMSClient: new (config: object) => { send(command: object): Promise<unknown> }
  readonly GenerateDataKeyCommand: new (input: object) => object
  readonly DecryptCommand: new (input: object) => object
}

/** `ours` uses `fetch` and WebCrypto, `signer` uses `fetch` and `nodeAwsSigner`, `node` uses both of `edge-kms/node`. */
export type Side = 'sdk' | 'ours' | 'signer' | 'node' | 'fetch'
export type Operation = 'GenerateDataKey' | 'Decrypt'
export type Call = () => Promise<unknown>

const context = {
  tenant: 'acme',
  'edge-kms:dk': 'q2VpLq2VpLq2VpLq2VpLq2VpLq2VpLq2VpLq2VpLx0A.1767225600000',
}

export async function createSides(
  { endpoint, arn, region, credentials }: Place,
  sdk: Sdk,
  adapter?: Required<Pick<AwsKmsOptions, 'signer' | 'network'>>,
): Promise<Partial<Record<Side, Record<Operation, Call>>>> {
  const options = { keyId: arn, credentials, endpoint, allowHttpLoopback: true }
  const ours = createAwsKms(options)
  const client = new sdk.KMSClient({ region, endpoint, credentials })
  const { wraps } = await ours.generateDataKey({ context })
  const generate = { KeyId: arn, KeySpec: 'AES_256', EncryptionContext: context }
  const decrypt = { KeyId: arn, CiphertextBlob: wraps[0].wrapped, EncryptionContext: context }
  const body = JSON.stringify({ ...generate, Padding: 'x'.repeat(64) })
  const bare = async (operation: Operation): Promise<unknown> => {
    const headers = {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `TrentService.${operation}`,
    }
    return (await fetch(`${endpoint}/`, { method: 'POST', headers, body })).arrayBuffer()
  }
  const callsOf = (kms: typeof ours): Record<Operation, Call> => ({
    GenerateDataKey: () => kms.generateDataKey({ context }),
    Decrypt: () => kms.unwrapDataKey(wraps, { context }),
  })
  return {
    sdk: {
      GenerateDataKey: () => client.send(new sdk.GenerateDataKeyCommand(generate)),
      Decrypt: () => client.send(new sdk.DecryptCommand(decrypt)),
    },
    ours: callsOf(ours),
    ...(adapter !== undefined && {
      signer: callsOf(createAwsKms({ ...options, signer: adapter.signer })),
      node: callsOf(createAwsKms({ ...options, ...adapter })),
    }),
    fetch: {
      GenerateDataKey: () => bare('GenerateDataKey'),
      Decrypt: () => bare('Decrypt'),
    },
  }
}

/** Makes so many calls, so many at a time. */
export async function makeCalls(call: Call, calls: number, atOnce: number): Promise<void> {
  let left = calls
  const one = async (): Promise<void> => {
    while (left-- > 0) await call()
  }
  await Promise.all(Array.from({ length: atOnce }, one))
}
