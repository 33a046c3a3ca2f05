import { describe, expect, it } from 'vitest'
import { isKmsError, type KmsError, type KmsErrorCode } from '../../../../src/errors.ts'
import { assumeRole, createAwsKms } from '../../../../src/providers/aws-kms/index.ts'
import { webNetwork } from '../../../../src/runtime/index.ts'

const arn = 'arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'

/** Returns the error of `rotateKey` if AWS answers with this one. */
async function errorOf(status: number, headers: HeadersInit, body: string): Promise<KmsError> {
  const kms = createAwsKms({
    keyId: arn,
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' },
    network: {
      ...webNetwork,
      fetch: () => Promise.resolve(new Response(body, { status, headers })),
    },
  })
  const error: unknown = await kms.rotateKey({}).catch((caught: unknown) => caught)
  if (!isKmsError(error)) throw new Error('not a KmsError', { cause: error })
  return error
}

const byType = (type: string): Promise<KmsError> =>
  errorOf(400, {}, JSON.stringify({ __type: type, message: 'no' }))

/** Names as AWS documents them: KMS API Reference, "Errors" of the operations and "Common Error Types". */
const NAMES: Readonly<Partial<Record<KmsErrorCode, string>>> = {
  ERR_DECRYPT_FAILED: 'IncorrectKeyException InvalidCiphertextException',
  ERR_KMS_ACCESS_DENIED: 'AccessDeniedException InvalidGrantTokenException NotAuthorized',
  ERR_KMS_CONFIG:
    'InvalidAliasNameException InvalidArnException InvalidKeyUsageException LimitExceededException ValidationError ValidationException',
  ERR_KMS_KEY_DISABLED: 'DisabledException KMSInvalidStateException',
  ERR_KMS_KEY_NOT_FOUND: 'NotFoundException',
  ERR_KMS_THROTTLED: 'ThrottlingException',
  ERR_KMS_UNAUTHENTICATED:
    'ExpiredTokenException IncompleteSignature InvalidSignatureException MissingAuthenticationTokenException RequestExpired UnrecognizedClientException',
  ERR_KMS_UNAVAILABLE:
    'CloudHsmClusterInvalidConfigurationException ConflictException CustomKeyStoreInvalidStateException DependencyTimeoutException InternalFailure KeyUnavailableException KMSInternalException RequestAbortedException RequestTimeoutException ServiceUnavailable',
  ERR_KMS_UNSUPPORTED: 'UnknownOperationException UnsupportedOperationException',
}

describe('R22 AWS KMS: the name of an error', () => {
  const rows = Object.entries(NAMES).flatMap(([code, names]) =>
    names.split(' ').map((name) => [name, code] as const),
  )
  it.each(rows)('%s is %s', async (name, code) => {
    expect((await byType(name)).code).toBe(code)
  })

  it.each([
    ['a service shape', 400, {}, '{"__type":"com.amazonaws.kms#NotFoundException"}'],
    ['a header with a URL', 400, { 'x-amzn-errortype': 'NotFoundException:http://x/#y' }, '{}'],
    ['XML', 400, {}, '<E><Error><Code>NotFoundException</Code></Error></E>'],
    ['JSON of STS', 400, {}, '{"Error":{"Message":"a","Code":"NotFoundException"}}'],
    [
      'a message that quotes another',
      400,
      {},
      JSON.stringify({ message: '"__type":"DisabledException"', __type: 'NotFoundException' }),
    ],
  ] as const)('is read from %s', async (_where, status, headers, body) => {
    expect((await errorOf(status, headers, body)).code).toBe('ERR_KMS_KEY_NOT_FOUND')
  })

  it.each([400, 401, 403, 404, 409, 429, 500, 503])(
    'decides whatever the status: %i',
    async (status) => {
      const named = await errorOf(status, {}, '{"__type":"DisabledException"}')
      expect(named.code).toBe('ERR_KMS_KEY_DISABLED')
    },
  )

  it.each([
    [401, 'ERR_KMS_UNAUTHENTICATED'],
    [403, 'ERR_KMS_ACCESS_DENIED'],
    [408, 'ERR_KMS_UNAVAILABLE'],
    [418, 'ERR_KMS_RESPONSE_INVALID'],
    [429, 'ERR_KMS_THROTTLED'],
    [503, 'ERR_KMS_UNAVAILABLE'],
  ] as const)('gives way to status %i where it is not listed', async (status, code) => {
    expect((await errorOf(status, {}, '{"__type":"SomethingNewException"}')).code).toBe(code)
    expect((await errorOf(status, {}, '<html>')).code).toBe(code)
  })

  it('says that a rotation may be asked for again while another is under way', async () => {
    expect((await byType('ConflictException')).retryable).toBe(true)
  })

  it('carries facts, and of them only what is well formed', async () => {
    const headers = { 'x-amzn-requestid': 'e0eb83e3-63bc', 'retry-after': '3' }
    const error = await errorOf(400, headers, '{"__type":"ThrottlingException"}')
    expect(error).toMatchObject({
      operation: 'RotateKeyOnDemand',
      provider: 'aws-kms',
      requestId: 'e0eb83e3-63bc',
      retryAfterMs: 3_000,
      status: 400,
    })
    const odd = { 'x-amzn-requestid': 'a b<script>', 'retry-after': 'soon' }
    const other = await errorOf(400, odd, '{"__type":"ThrottlingException"}')
    expect(other.toJSON()).not.toHaveProperty('requestId')
    expect(other.toJSON()).not.toHaveProperty('retryAfterMs')
  })
})

describe('R22 STS: the name of an error', () => {
  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' }
  it.each([
    ['IDPCommunicationError', 'ERR_KMS_UNAVAILABLE'],
    ['IDPRejectedClaim', 'ERR_KMS_UNAUTHENTICATED'],
    ['InvalidIdentityToken', 'ERR_KMS_UNAUTHENTICATED'],
    ['MalformedPolicyDocument', 'ERR_KMS_CONFIG'],
    ['PackedPolicyTooLarge', 'ERR_KMS_CONFIG'],
    ['RegionDisabledException', 'ERR_KMS_CONFIG'],
  ] as const)('%s is %s', async (name, code) => {
    const body = JSON.stringify({ Error: { Code: name, Message: 'no' }, RequestId: 'a' })
    const fetch = (): Promise<Response> => Promise.resolve(new Response(body, { status: 400 }))
    const network = { ...webNetwork, fetch }
    const roleArn = 'arn:aws:iam::111122223333:role/app'
    const source = assumeRole({ region: 'us-east-1', roleArn, credentials, network })
    await expect(source.get({})).rejects.toMatchObject({ code, provider: 'aws-sts' })
  })
})
