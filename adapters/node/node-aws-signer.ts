import { createHmac, hash } from 'node:crypto'
import { AwsV4Signer } from 'aws4fetch'
import type { AwsSigner } from '../../src/providers/aws-kms/index.ts'

type Credentials = Parameters<AwsSigner['sign']>[1]

/** A derived key with its day, region and service. */
interface SigningKey {
  readonly scope: string
  readonly key: Buffer
}

/** The last key of each credentials object: the secret is not part of a name, and a key is dropped with its object. */
const keys = new WeakMap<Credentials, SigningKey>()

/**
 * Signs requests to AWS with `node:crypto`. The network of `createNodeNetwork` already uses it. For another network,
 * pass it as the `signer` option of `createAwsKms` and of everything else that signs. Its signatures equal those of
 * aws4fetch over WebCrypto, which writes the canonical form here too. It is faster because `node:crypto` computes
 * digests and HMACs without a change of thread for each.
 *
 * @example
 * ```ts
 * import { awsCredentialsFromEnv, createAwsKms } from 'edge-kms/aws-kms'
 * import { nodeAwsSigner } from 'edge-kms/node'
 *
 * export const kms = createAwsKms({
 *   keyId: 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
 *   credentials: async () => awsCredentialsFromEnv(process.env),
 *   signer: nodeAwsSigner,
 * })
 * ```
 */
export const nodeAwsSigner: AwsSigner = {
  sign({ nowMs, ...request }, credentials) {
    const datetime = new Date(nowMs).toISOString().replace(/[:-]|\.\d{3}/g, '')
    const form = new AwsV4Signer({ ...request, ...credentials, datetime, allHeaders: true })
    const canonical = [
      form.method,
      form.encodedPath,
      form.encodedSearch,
      `${form.canonicalHeaders}\n`,
      form.signedHeaders,
      request.headers['x-amz-content-sha256'] ?? hash('sha256', request.body),
    ].join('\n')
    const scope = form.credentialString
    const text = `AWS4-HMAC-SHA256\n${datetime}\n${scope}\n${hash('sha256', canonical)}`
    const signature = hmac(keyFor(scope, credentials), text).toString('hex')
    const authorization = `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${form.signedHeaders}, Signature=${signature}`
    return Promise.resolve({ ...Object.fromEntries(form.headers), authorization })
  },
}

function keyFor(scope: string, credentials: Credentials): Buffer {
  const held = keys.get(credentials)
  if (held?.scope === scope) return held.key
  let key: Buffer = Buffer.from(`AWS4${credentials.secretAccessKey}`)
  for (const part of scope.split('/')) key = hmac(key, part)
  keys.set(credentials, { scope, key })
  return key
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
