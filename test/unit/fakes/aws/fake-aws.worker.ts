import { EnvelopeCipher } from '../../../../src/index.ts'
import { createAwsKms } from '../../../../src/providers/aws-kms/index.ts'
import { createFakeAws, type FakeAws } from '../../../../adapters/fakes/index.ts'

let kept: FakeAws | undefined

/** The fake as a Worker; under `/envelope`, the provider against it inside the same Worker. */
export default {
  async fetch(request: Request): Promise<Response> {
    // Not at the top level: workerd refuses random bytes there.
    const aws = (kept ??= createFakeAws({ keys: [{ alias: 'alias/app' }] }))
    if (new URL(request.url).pathname !== '/envelope') return aws.fetch(request)
    const { region, credentials, network } = aws
    const kms = createAwsKms({ keyId: 'alias/app', region, credentials, network })
    const context = { tenant: 'acme' }
    const envelope = await new EnvelopeCipher({ kms }).encryptText('4111 1111', { context })
    const text = await new EnvelopeCipher({ kms }).decryptText(envelope, { context })
    return Response.json({ text, operations: aws.calls.map(({ operation }) => operation) })
  },
}
