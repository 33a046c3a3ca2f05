import { describe, expect, it } from 'vitest'
import { KMS_ERROR_CODES, KmsError, type KmsErrorCode } from '../../../src/index.ts'
import { CountedKms, post, setUp } from './fixture.ts'

/** Written out a second time on purpose: a status is what clients act on. */
const STATUSES: Readonly<Record<KmsErrorCode, number>> = {
  ERR_CONTEXT_INVALID: 400,
  ERR_WIRE_MALFORMED: 400,
  ERR_WIRE_VERSION_REFUSED: 422,
  ERR_WIRE_KIND_REFUSED: 422,
  ERR_WIRE_LIMIT_EXCEEDED: 413,
  ERR_ENVELOPE_UNKNOWN_KEY: 422,
  ERR_ENVELOPE_UNKNOWN_REFERENCE: 404,
  ERR_ENVELOPE_TOO_LARGE: 413,
  ERR_DECRYPT_FAILED: 422,
  ERR_DATA_KEY_EXHAUSTED: 500,
  ERR_KMS_CONFIG: 500,
  ERR_KMS_UNSUPPORTED: 501,
  ERR_KMS_KEY_NOT_FOUND: 502,
  ERR_KMS_KEY_DISABLED: 502,
  ERR_KMS_ACCESS_DENIED: 403,
  ERR_KMS_UNAUTHENTICATED: 502,
  ERR_KMS_THROTTLED: 503,
  ERR_KMS_UNAVAILABLE: 503,
  ERR_KMS_TIMEOUT: 504,
  ERR_KMS_RESPONSE_INVALID: 502,
  ERR_STORE_UNAVAILABLE: 503,
  ERR_STORE_CONFLICT: 409,
}

describe('statuses', () => {
  it.each(KMS_ERROR_CODES)('%s reaches the client with its status', async (code) => {
    const kms = Object.assign(new CountedKms(), {
      generateDataKey: () => Promise.reject(new KmsError(code)),
    })
    const answer = await setUp(kms).app.fetch(post('/v1/encrypt', 'x'))
    expect(answer.status).toBe(STATUSES[code])
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    expect(await answer.json()).toMatchObject({ code, status: STATUSES[code] })
  })
})
