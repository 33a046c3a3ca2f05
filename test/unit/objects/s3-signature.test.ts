import { describe, expect, it } from 'vitest'
import { nodeAwsSigner } from '../../../adapters/node/index.ts'
import { createAwsSigner } from '../../../src/credentials/aws/index.ts'

// The example "PUT Object" of AWS: a key that has to be escaped, and a digest that is given.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html

const credentials = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
}

const request = {
  method: 'PUT',
  url: 'https://examplebucket.s3.amazonaws.com/test%24file.text',
  headers: {
    date: 'Fri, 24 May 2013 00:00:00 GMT',
    'x-amz-content-sha256': '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
    'x-amz-storage-class': 'REDUCED_REDUNDANCY',
  },
  // The given digest counts, whatever the body is.
  body: new Uint8Array(3),
  service: 's3',
  region: 'us-east-1',
  nowMs: Date.UTC(2013, 4, 24),
} as const

describe('signatures of S3', () => {
  for (const [name, signer] of Object.entries({ aws4fetch: createAwsSigner(), nodeAwsSigner })) {
    it(`${name} signs AWS's own example of a key that has to be escaped`, async () => {
      const { authorization } = await signer.sign(request, credentials)
      expect(authorization).toContain(
        'SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class',
      )
      expect(authorization).toContain(
        'Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
      )
    })
  }
})
