import { AwsV4Signer } from 'aws4fetch'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { nodeHasher } from '../../../adapters/node/index.ts'
import { AwsSigner } from '../../../src/credentials/aws/signer.ts'

const word = fc.stringMatching(/^[A-Za-z0-9/+=]{1,40}$/)
const region = fc.constantFrom('eu-central-1', 'us-gov-west-1', 'cn-north-1')

const hashers = { WebCrypto: undefined, 'edge-kms/node': nodeHasher }

it.each(Object.entries(hashers))('signs with %s what aws4fetch signs', async (_name, hasher) => {
  await fc.assert(
    fc.asyncProperty(
      word,
      fc.option(word, { nil: undefined }),
      region,
      fc.string(),
      fc.integer({ min: 1_600_000_000, max: 4_000_000_000 }),
      async (secretAccessKey, sessionToken, regionName, body, seconds) => {
        const request = {
          method: 'POST' as const,
          url: `https://kms.${regionName}.amazonaws.com/a%20b/?b=2&a=%2F`,
          // One name is the beginning of another: what is sorted is names, not lines.
          headers: { 'x-amz-target': 'TrentService.Decrypt', 'x-amz-date-of': 'today' },
          body,
          service: 'kms',
          region: regionName,
        }
        const credentials = {
          accessKeyId: 'AKIDEXAMPLE',
          secretAccessKey,
          ...(sessionToken && { sessionToken }),
        }
        const ours = await new AwsSigner(hasher).sign(
          { ...request, nowMs: seconds * 1000 },
          credentials,
        )
        const datetime = ours['x-amz-date'] ?? ''
        const peer = await new AwsV4Signer({
          ...request,
          ...credentials,
          datetime,
          allHeaders: true,
        }).sign()
        expect(ours['authorization']).toBe(peer.headers.get('authorization'))
      },
    ),
    { numRuns: 200 },
  )
})
