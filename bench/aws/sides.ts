/** The same calls by AWS's own client, by this package, and by a bare `fetch` that signs nothing. */
import { createAwsKms } from '../../src/providers/aws-kms/index.ts'

/** Where the server is, and what it has. */
export interface Place {
  readonly endpoint: string
  readonly arn: string
  readonly region: string
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
}

/** What this needs of `@aws-sdk/client-kms`. */
export interface Sdk {
  readonly KMSClient: new (config: object) => { send(command: object): Promise<unknown> }
  readonly GenerateDataKeyCommand: new (input: object) => object
  readonly DecryptCommand: new (input: object) => object
}

export type Side = 'sdk' | 'ours' | 'fetch'
export type Operation = 'GenerateDataKey' | 'Decrypt'
export type Call = () => Promise<unknown>

const context = {
  tenant: 'acme',
  'edge-kms:dk': 'q2VpLq2VpLq2VpLq2VpLq2VpLq2VpLq2VpLq2VpLx0A.1767225600000',
}

export async function createSides(
  { endpoint, arn, region, credentials }: Place,
  sdk: Sdk,
): Promise<Record<Side, Record<Operation, Call>>> {
  const ours = createAwsKms({ keyId: arn, credentials, endpoint, allowHttpLoopback: true })
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
  return {
    sdk: {
      GenerateDataKey: () => client.send(new sdk.GenerateDataKeyCommand(generate)),
      Decrypt: () => client.send(new sdk.DecryptCommand(decrypt)),
    },
    ours: {
      GenerateDataKey: () => ours.generateDataKey({ context }),
      Decrypt: () => ours.unwrapDataKey(wraps, { context }),
    },
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
