import type { CloudKmsClient } from '../../../adapters/google-cloud-kms/index.ts'
import { decodeBase64, encodeBase64 } from '../../../src/bytes/index.ts'
import type { FakeGcp } from '../../../adapters/fakes/index.ts'

type Fields = Record<string, unknown>

/** As google-gax gives errors of gRPC. */
const NUMBERS: Readonly<Record<string, number>> = {
  INVALID_ARGUMENT: 3,
  NOT_FOUND: 5,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
}

const ROUTES: Readonly<Record<keyof CloudKmsClient, readonly [string, string, 'GET'?]>> = {
  encrypt: ['name', ':encrypt'],
  decrypt: ['name', ':decrypt'],
  getCryptoKey: ['name', '', 'GET'],
  getCryptoKeyVersion: ['name', '', 'GET'],
  createCryptoKeyVersion: ['parent', '/cryptoKeyVersions'],
  updateCryptoKeyPrimaryVersion: ['name', ':updatePrimaryVersion'],
  generateRandomBytes: ['location', ':generateRandomBytes'],
}

/**
 * A client with the form of Google's, over the fake: messages of protocol buffers in and out. Google's
 * own client runs in `npm run test:servers -- gcp`.
 */
export function clientOver(fake: FakeGcp): CloudKmsClient {
  const entries = Object.entries(ROUTES).map(([method, [field, end, verb = 'POST']]) => {
    const call = async (request: Fields): Promise<readonly [object]> => {
      const { [field]: resource, cryptoKeyVersion: _made, ...rest } = request
      const fields = Object.entries(rest).map(([name, value]) => [name, toJson(value)])
      const url = `https://cloudkms.googleapis.com/v1/${String(resource)}${end}`
      const answer = await fake.fetch(
        new Request(url, {
          method: verb,
          headers: { authorization: `Bearer ${fake.credentials.token}` },
          ...(verb === 'POST' && { body: JSON.stringify(Object.fromEntries(fields)) }),
        }),
      )
      const body = (await answer.json()) as Fields
      if (!answer.ok) throw errorOf(body['error'] as Fields)
      return [Object.fromEntries(Object.entries(body).map(fromJson))]
    }
    return [method, call]
  })
  const client: Readonly<Record<string, unknown>> = Object.fromEntries(entries)
  return client as unknown as CloudKmsClient
}

function toJson(value: unknown): unknown {
  if (value instanceof Uint8Array) return encodeBase64(new Uint8Array(value))
  return typeof value === 'object' ? (value as { readonly value: string }).value : value
}

function fromJson([name, value]: readonly [string, unknown]): readonly [string, unknown] {
  if (name.endsWith('Crc32c') && typeof value === 'string') return [name, { value }]
  const isBytes = ['ciphertext', 'plaintext', 'data'].includes(name)
  return [name, isBytes ? Buffer.from(decodeBase64(value as string) ?? []) : value]
}

function errorOf({ status, message, details = [] }: Fields): Error {
  const reason = (details as Fields[]).map((one) => one['reason']).find(Boolean)
  const code = NUMBERS[status as string]
  return Object.assign(new Error(message as string), { code, reason, statusDetails: details })
}
