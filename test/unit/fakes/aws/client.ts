import { AwsV4Signer } from 'aws4fetch'
import { decodeBase64, encodeBase64 } from '../../../../src/bytes/index.ts'
import type { FakeAws } from '../../../../adapters/fakes/index.ts'

/** Credentials as aws4fetch takes them. */
export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

export interface CallOptions {
  readonly credentials?: Credentials
  readonly region?: string
  /** The region that is signed for, where it is another. */
  readonly scopeRegion?: string
  readonly scopeService?: string
  readonly host?: string
  /** Milliseconds that the client's clock is ahead. */
  readonly aheadMs?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

export interface Answered {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The body where it is JSON, else empty. */
  readonly json: Readonly<Record<string, unknown>>
  /** Name of the error, whatever the protocol. */
  readonly error: string | undefined
}

async function sign(
  fake: FakeAws,
  service: 'kms' | 'sts',
  headers: Readonly<Record<string, string>>,
  body: string,
  options: CallOptions,
): Promise<Request> {
  const { credentials = fake.credentials, region = fake.region, aheadMs = 0 } = options
  const host = options.host ?? `${service}.${region}.amazonaws.com`
  const signed = await new AwsV4Signer({
    method: 'POST',
    url: `https://${host}/`,
    headers: { ...headers, ...options.headers },
    body,
    service: options.scopeService ?? service,
    region: options.scopeRegion ?? region,
    ...credentials,
    datetime: new Date(fake.clock.now() + aheadMs).toISOString().replace(/[:-]|\.\d{3}/g, ''),
  }).sign()
  const init = { method: 'POST', headers: signed.headers, body }
  return new Request(signed.url, options.signal ? { ...init, signal: options.signal } : init)
}

export const kmsRequest = (
  fake: FakeAws,
  operation: string,
  input: unknown,
  options: CallOptions = {},
): Promise<Request> =>
  sign(
    fake,
    'kms',
    {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `TrentService.${operation}`,
    },
    typeof input === 'string' ? input : JSON.stringify(input),
    options,
  )

export const stsRequest = (
  fake: FakeAws,
  parameters: Readonly<Record<string, string>>,
  options: CallOptions = {},
): Promise<Request> =>
  sign(
    fake,
    'sts',
    { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
    new URLSearchParams({ Version: '2011-06-15', ...parameters }).toString(),
    options,
  )

function jsonOf(text: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return {}
  }
}

export async function send(fake: FakeAws, request: Request | Promise<Request>): Promise<Answered> {
  const { status, headers, ...response } = await read(await fake.fetch(await request))
  const json = jsonOf(response.text)
  const type = json['__type'] ?? (json['Error'] as { readonly Code?: unknown } | undefined)?.Code
  const error = typeof type === 'string' ? type : /<Code>(\w+)<\/Code>/.exec(response.text)?.[1]
  return { status, headers, text: response.text, json, error }
}

const read = async (response: Response) => ({
  status: response.status,
  headers: response.headers,
  text: await response.text(),
})

export const kms = (
  fake: FakeAws,
  operation: string,
  input: unknown,
  options?: CallOptions,
): Promise<Answered> => send(fake, kmsRequest(fake, operation, input, options))

export const sts = (
  fake: FakeAws,
  parameters: Readonly<Record<string, string>>,
  options?: CallOptions,
): Promise<Answered> => send(fake, stsRequest(fake, parameters, options))

export const base64 = (text: string): string => encodeBase64(new TextEncoder().encode(text))

export const unbase64 = (value: unknown): Uint8Array =>
  decodeBase64(typeof value === 'string' ? value : '?') ?? new Uint8Array(0)

/** A ciphertext of `secret` under a key. */
export async function encrypted(
  fake: FakeAws,
  KeyId: string,
  EncryptionContext: Readonly<Record<string, string>> = {},
  options?: CallOptions,
): Promise<string> {
  const input = { KeyId, Plaintext: base64('secret'), EncryptionContext }
  const { json } = await kms(fake, 'Encrypt', input, options)
  return json['CiphertextBlob'] as string
}

/** Returns the text that Decrypt finds in a ciphertext, or the name of the error. */
export async function opened(
  fake: FakeAws,
  input: Readonly<Record<string, unknown>>,
  options?: CallOptions,
): Promise<string> {
  const { json, error } = await kms(fake, 'Decrypt', input, options)
  return error ?? new TextDecoder().decode(unbase64(json['Plaintext']))
}

/** Credentials of an answer of STS in JSON. */
export function credentialsOf(answer: Answered, action: string): Required<Credentials> {
  const response = answer.json[`${action}Response`] as Record<string, Record<string, unknown>>
  const given = response[`${action}Result`]?.['Credentials'] as Record<string, string>
  return {
    accessKeyId: given['AccessKeyId'] ?? '',
    secretAccessKey: given['SecretAccessKey'] ?? '',
    sessionToken: given['SessionToken'] ?? '',
  }
}
