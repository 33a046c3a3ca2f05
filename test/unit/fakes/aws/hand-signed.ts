import { createHash, createHmac } from 'node:crypto'
import type { FakeAws } from '../../../../adapters/fakes/index.ts'

/** Ways in which a signer can be told to sign wrongly. */
export interface Oddities {
  /** Of the scope; the day of the request by default. */
  readonly date?: string
  readonly terminator?: string
  /** In this order; all of them, sorted, by default. */
  readonly signedHeaders?: readonly string[]
}

const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

/** DescribeKey of `alias/app`, with a signature that is right for what it signs. */
export function handSigned(fake: FakeAws, oddities: Oddities = {}): Request {
  const body = '{"KeyId":"alias/app"}'
  const host = 'kms.us-east-1.amazonaws.com'
  const amzDate = new Date(fake.clock.now()).toISOString().replace(/[:-]|\.\d{3}/g, '')
  const headers: Record<string, string> = {
    host,
    'x-amz-date': amzDate,
    'x-amz-target': 'TrentService.DescribeKey',
  }
  const { date = amzDate.slice(0, 8), terminator = 'aws4_request' } = oddities
  const names = oddities.signedHeaders ?? Object.keys(headers)
  const canonical = [
    'POST',
    '/',
    '',
    ...names.map((name) => `${name}:${headers[name] ?? ''}`),
    '',
    names.join(';'),
    sha256(body),
  ].join('\n')
  const scope = [date, 'us-east-1', 'kms', terminator]
  let key: string | Buffer = `AWS4${fake.credentials.secretAccessKey}`
  for (const part of scope) key = hmac(key, part)
  const text = ['AWS4-HMAC-SHA256', amzDate, scope.join('/'), sha256(canonical)].join('\n')
  const fields = [
    `Credential=${fake.credentials.accessKeyId}/${scope.join('/')}`,
    `SignedHeaders=${names.join(';')}`,
    `Signature=${hmac(key, text).toString('hex')}`,
  ]
  return new Request(`https://${host}/`, {
    method: 'POST',
    headers: { ...headers, authorization: `AWS4-HMAC-SHA256 ${fields.join(', ')}` },
    body,
  })
}
