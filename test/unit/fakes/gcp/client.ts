import { crc32c, decodeBase64, encodeBase64, encodeUtf8 } from '../../../../src/bytes/index.ts'
import type { FakeGcp } from '../../../../adapters/fakes/index.ts'

export const base64 = (text: string): string => encodeBase64(encodeUtf8(text))
export const sumOf = (text: string): string => String(crc32c(encodeUtf8(text)))

/** An answer of the KMS. */
export interface KmsAnswer {
  readonly status: number
  readonly json: Readonly<Record<string, unknown>>
  /** Canonical status of an error. */
  readonly error: string | undefined
}

/** A call by hand, with the token that may do everything. */
export async function call(
  fake: FakeGcp,
  method: string,
  path: string,
  body?: object,
  token = fake.credentials.token,
): Promise<KmsAnswer> {
  const response = await fake.network.fetch(`https://cloudkms.googleapis.com/v1/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const json = (await (response as Response).json()) as Record<string, unknown>
  const error = json['error'] as { status?: string } | undefined
  return { status: response.status, json, error: error?.status }
}

export async function encrypted(fake: FakeGcp, key: string, aad = ''): Promise<string> {
  const body = { plaintext: base64('secret'), additionalAuthenticatedData: base64(aad) }
  return (await call(fake, 'POST', `${key}:encrypt`, body)).json['ciphertext'] as string
}

/** The plaintext, or the status of the error. */
export async function opened(
  fake: FakeGcp,
  key: string,
  ciphertext: string,
  aad = '',
): Promise<string> {
  const body = { ciphertext, additionalAuthenticatedData: base64(aad) }
  const { json, error } = await call(fake, 'POST', `${key}:decrypt`, body)
  if (error !== undefined) return error
  return new TextDecoder().decode(decodeBase64(json['plaintext'] as string))
}
