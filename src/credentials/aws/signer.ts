import { AwsV4Signer } from 'aws4fetch'
import type { AwsSigner, Network } from '../../ports/index.ts'
import { SigningKeys } from './signing-keys.ts'

/**
 * Returns a signer on aws4fetch. A key is derived once a day for each credentials object.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function createAwsSigner(): AwsSigner {
  const keys = new SigningKeys<ArrayBuffer>()
  return {
    async sign({ nowMs, ...request }, credentials) {
      const datetime = awsTime(nowMs)
      const scope = `${datetime.slice(0, 8)}/${request.region}/${request.service}`
      // aws4fetch names its keys by the secret: the name is dropped here.
      const cache = {
        get: () => keys.get(credentials, scope),
        set: (_name: string, key: ArrayBuffer) => {
          keys.set(credentials, scope, key)
        },
      } as unknown as Map<string, ArrayBuffer>
      const options = { ...request, ...credentials, datetime, cache, allHeaders: true }
      return Object.fromEntries((await new AwsV4Signer(options).sign()).headers)
    },
  }
}

/** Returns what signs: the option, else what the network brings, else {@link createAwsSigner}. */
export function signerOf(option: AwsSigner | undefined, network: Network): AwsSigner {
  return option ?? network.awsSigner ?? createAwsSigner()
}

/** Returns a time as AWS writes it, e.g. `20260101T000000Z`. */
function awsTime(nowMs: number): string {
  return new Date(nowMs).toISOString().replace(/[:-]|\.\d{3}/g, '')
}
